#pragma once

#include "runtime/tile/overlap_grid.hpp"

#include <span>
#include <variant>

namespace shoal {

/// Elements of an output for each element of the image, along both axes: `up` / `down`.
struct blend_scale {
  std::int64_t up = 1, down = 1;
};

/// How much each tile counts where several overlap, by the place in it. i counts elements of one
/// axis of a tile's output, of which there are n; both axes' weights are multiplied.
enum class blend_shape : std::uint8_t {
  constant,   ///< 1
  gaussian,   ///< exp(−(i − (n−1)/2)² / 2σ²) with σ = n/8
  cosine,     ///< ½ − ½ cos(2π (i + ½) / n)
  crop_centre ///< 1 up to the middle of what two neighbours share, 0 beyond: no blending
};

/// A shape, or the weights themselves: a map [n, m] of floating-point numbers for the output of one
/// tile, none negative, where zeros count as the least number above zero.
using blend_kind = std::variant<blend_shape, tensor>;

/// One axis of an output: extents and origins of the tiles in it.
struct blend_axis {
  std::int64_t extent = 0, tile = 0;
  std::vector<std::int64_t> origins;

  /// `invalid_argument` unless every tile begins and ends at a whole element of the output: its
  /// `divisor` is then no multiple of `down`. The output's extent is rounded up.
  static result<blend_axis> scale(const overlap_axis& image, const blend_scale& scale);
  /// The weights of tile `index`; above 0 but for crop_centre, and as much as float64 can tell.
  std::vector<double> weights(blend_shape shape, std::size_t index) const;
};

/// The map, ready for use: float64, zeros replaced. `invalid_argument` if it is no map of these
/// extents, has negative or infinite weights or a NaN, or nothing but zeros.
result<tensor> check_weight_map(const tensor& map, std::int64_t rows, std::int64_t columns);

} // namespace shoal
