#include "kernels/cpu/skip_normalization.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

#include <cmath>

namespace shoal::kernels {
namespace {

constexpr int lanes = 16;

/// The sum of f(x[i]); the order of additions is the same on every processor.
template <class F>
SHOAL_INLINE float sum_of(const float* x, std::int64_t n, F f) {
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += f(x[i + lane]);
  float sum = 0;
  for (; i < n; ++i) sum += f(x[i]);
  for (const float part : sums) sum += part;
  return sum;
}

SHOAL_MULTIVERSION void add_row(const float* x, const float* skip, const float* bias,
                                std::int64_t n, float* sum) {
  if (skip != nullptr && bias != nullptr)
    for (std::int64_t i = 0; i < n; ++i) sum[i] = x[i] + skip[i] + bias[i];
  else if (skip != nullptr || bias != nullptr)
    for (std::int64_t i = 0; i < n; ++i) sum[i] = x[i] + (skip != nullptr ? skip : bias)[i];
  else
    for (std::int64_t i = 0; i < n; ++i) sum[i] = x[i];
}

SHOAL_MULTIVERSION void normalize_row(const skip_normalization& p, std::int64_t r) {
  auto *sum = p.sum + r * p.width, *y = p.y + r * p.width;
  const auto n = p.width;
  const auto width = static_cast<float>(n);
  const float mean = p.centred ? sum_of(sum, n, [](float x) { return x; }) / width : 0.0f;
  const float variance = sum_of(sum, n, [=](float x) { return (x - mean) * (x - mean); }) / width;
  const float inverse = 1.0f / std::sqrt(variance + static_cast<float>(p.epsilon));
  if (p.shift == nullptr)
    for (std::int64_t i = 0; i < n; ++i) y[i] = (sum[i] - mean) * inverse * p.scale[i];
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = (sum[i] - mean) * inverse * p.scale[i] + p.shift[i];
  if (p.mean != nullptr) p.mean[r] = mean;
  if (p.inverse != nullptr) p.inverse[r] = inverse;
}

} // namespace

void normalize(const skip_normalization& p) {
  parallel_pieces(
      p.rows, parallel_threshold / (p.width + 1), [&](std::int64_t first, std::int64_t last) {
        for (auto r = first; r < last; ++r) {
          const auto* skip = p.skip == nullptr ? nullptr : p.skip + r % p.skip_rows * p.width;
          add_row(p.x + r * p.width, skip, p.bias, p.width, p.sum + r * p.width);
          normalize_row(p, r);
        }
      });
}

} // namespace shoal::kernels
