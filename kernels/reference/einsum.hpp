#pragma once

#include "kernels/view.hpp"

#include <array>
#include <span>

namespace shoal::reference {

/// The loops of a sum of products (Einstein's notation): one per label, those of the output first.
struct einsum_loops {
  static constexpr std::size_t max_labels = 60; ///< 52 letters, and the axes of an ellipsis

  std::size_t labels = 0, output_labels = 0;
  std::array<std::int64_t, max_labels> extent{};
};

/// Where an operand goes along each label: 0 where it has no such axis, or repeats its one element.
using einsum_strides = std::array<std::int64_t, einsum_loops::max_labels>;

/// out, dense over the output's labels, = the sum over all other labels of the products of the
/// inputs. Any type but bool; floats are computed in double, integers wrap around.
void einsum(const einsum_loops& loops, std::span<const einsum_strides> strides,
            std::span<const const_view> inputs, const view& out);

} // namespace shoal::reference
