#include "kernels/cpu/arg_extremum.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

#include <algorithm>

namespace shoal::kernels {
namespace {

constexpr std::int64_t columns = 64;

/// `width` neighbouring columns of `count` elements, `stride` apart. `sign` -1 finds the smallest.
SHOAL_MULTIVERSION
void find(float sign, bool last, const float* in, std::int64_t count, std::int64_t stride,
          std::int64_t width, std::int64_t* out) {
  float best[columns];
  std::int32_t where[columns] = {};
  for (std::int64_t c = 0; c < width; ++c) best[c] = sign * in[c];
  for (std::int64_t i = 1; i < count; ++i) {
    const float* row = in + i * stride;
    const auto index = static_cast<std::int32_t>(i);
#pragma omp simd
    for (std::int64_t c = 0; c < width; ++c) {
      const float x = sign * row[c];
      const bool better = last ? x >= best[c] : x > best[c];
      best[c] = better ? x : best[c];
      where[c] = better ? index : where[c];
    }
  }
  for (std::int64_t c = 0; c < width; ++c) out[c] = where[c];
}

} // namespace

void arg_extremum(bool largest, bool last, const reference::axis_extents& extents, const float* in,
                  std::int64_t* out) {
  const auto [outer, count, inner] = extents;
  const auto groups = (inner + columns - 1) / columns;
  const auto grain =
      parallel_threshold / std::max<std::int64_t>(count * std::min(inner, columns), 1);
  parallel_pieces(outer * groups, grain, [&, count = count, inner = inner](auto first, auto end) {
    for (auto i = first; i < end; ++i) {
      const auto o = i / groups, column = i % groups * columns;
      find(largest ? 1.0f : -1.0f, last, in + o * count * inner + column, count, inner,
           std::min(columns, inner - column), out + o * inner + column);
    }
  });
}

} // namespace shoal::kernels
