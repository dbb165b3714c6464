#pragma once

#include "kernels/shape.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// What lies outside of a tensor that is padded.
enum class pad_mode : std::uint8_t {
  constant, ///< one value
  reflect,  ///< the tensor mirrored, its border element not repeated
  edge,     ///< its border element
  wrap      ///< the tensor again
};

/// For every index along one axis of a padded tensor the index in the original that it is copied
/// from; -1 where the constant belongs. Negative pads crop. Modes other than `constant` need
/// `extent` > 0 where they pad.
std::vector<std::int64_t> pad_table(pad_mode mode, std::int64_t extent, std::int64_t begin,
                                    std::int64_t end);

/// A padding of all axes, prepared: one table per axis of the output.
struct pad_tables {
  shape in, out;
  std::vector<std::vector<std::int64_t>> source;
};

} // namespace shoal
