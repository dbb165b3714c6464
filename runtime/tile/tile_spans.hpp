#pragma once

#include "runtime/tile/crop_geometry.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// What one tile gives of one output along one axis.
struct tile_yield {
  interval output;       ///< of the whole output; the tiles' intervals cover it once
  std::int64_t skip = 0; ///< elements of what the crop gives that come before

  friend bool operator==(const tile_yield&, const tile_yield&) = default;
};

/// One tile along one axis.
struct tile_span {
  interval image;                ///< what is read
  std::vector<tile_yield> gives; ///< per output; nothing of those that lack the axis

  friend bool operator==(const tile_span&, const tile_span&) = default;
};

/// The least tiles that cover the image with crops of `length` elements each (rounded up to whole
/// alignments; the last is up to an alignment longer), in order. All begin at multiples of the
/// alignment, and all but the last are equally long, so that few shapes have to be compiled.
/// `invalid_argument` when crops of that length give nothing exactly, and how long they must be.
result<std::vector<tile_span>> cover_axis(const crop_geometry& axis, std::size_t outputs,
                                          std::int64_t length);

/// The same with the shortest crops of which `count` suffice, up to the whole axis.
result<std::vector<tile_span>> divide_axis(const crop_geometry& axis, std::size_t outputs,
                                           std::int64_t count);

/// The same part of the outputs as `span` gives, in tiles of about half the length: more than one,
/// or `invalid_argument` when it is too short for that.
result<std::vector<tile_span>> halve_span(const crop_geometry& axis, const tile_span& span);

} // namespace shoal
