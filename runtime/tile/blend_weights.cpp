#include "runtime/tile/blend_weights.hpp"

#include "runtime/aggregate/element_values.hpp"
#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace shoal {

result<blend_axis> blend_axis::scale(const overlap_axis& image, const blend_scale& scale) {
  constexpr std::int64_t most = 1 << 16;
  if (scale.up < 1 || scale.down < 1 || scale.up > most || scale.down > most)
    return fail(errc::invalid_argument, "an output has {}/{} elements for one of the image",
                scale.up, scale.down);
  blend_axis out;
  out.extent = (image.extent * scale.up + scale.down - 1) / scale.down;
  out.tile = image.tile * scale.up / scale.down;
  bool whole = image.tile * scale.up % scale.down == 0;
  for (const auto origin : image.origins) {
    whole = whole && origin * scale.up % scale.down == 0;
    out.origins.push_back(origin * scale.up / scale.down);
  }
  if (whole) return out;
  return fail(errc::invalid_argument,
              "tiles of {} elements do not begin and end at whole elements of an output of {}/{} "
              "the size: the grid needs a divisor that {} divides",
              image.tile, scale.up, scale.down, scale.down);
}

std::vector<double> blend_axis::weights(blend_shape shape, std::size_t index) const {
  std::vector<double> weights(static_cast<std::size_t>(tile), 1.0);
  const auto n = static_cast<double>(tile);
  double least = 1;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto at = static_cast<double>(i);
    if (shape == blend_shape::gaussian)
      weights[i] = std::exp(-0.5 * std::pow((at - (n - 1) / 2) / (n / 8), 2));
    else if (shape == blend_shape::cosine)
      weights[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (at + 0.5) / n);
    if (weights[i] > 0) least = std::min(least, weights[i]);
  }
  if (shape != blend_shape::crop_centre) {
    for (auto& w : weights) w = std::max(w, least);
    return weights;
  }
  // Tile k has what lies between the middles of what it shares with its neighbours.
  const auto origin = origins[index];
  const auto middle = [&](std::size_t k) { return (origins[k - 1] + tile + origins[k]) / 2; };
  const auto begin = index == 0 ? 0 : middle(index) - origin;
  const auto end = index + 1 == origins.size() ? tile : middle(index + 1) - origin;
  for (std::int64_t i = 0; i < tile; ++i)
    weights[static_cast<std::size_t>(i)] = i >= begin && i < end ? 1 : 0;
  return weights;
}

result<tensor> check_weight_map(const tensor& map, std::int64_t rows, std::int64_t columns) {
  if (map.empty() || map.format() != layout::plain || !is_floating(map.element_type()) ||
      map.dims() != shape{rows, columns})
    return fail(errc::invalid_argument,
                "expected a floating-point map of weights [{},{}] as tiles of this output are, "
                "got {}",
                rows, columns, to_string(map.type()));
  SHOAL_TRY(auto out, tensor::allocate({dtype::f64, map.dims()}));
  const auto weights = out.mutable_values<double>();
  read_elements(map, 0, weights);
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (!(weights[i] >= 0) || std::isinf(weights[i]))
      return fail(errc::invalid_argument, "element {} of the map of weights is {}", i, weights[i]);
    if (weights[i] > 0) least = std::min(least, weights[i]);
  }
  if (std::isinf(least)) return fail(errc::invalid_argument, "all of the map of weights is zero");
  for (auto& w : weights) w = std::max(w, least);
  return out;
}

} // namespace shoal
