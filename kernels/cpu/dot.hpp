#pragma once

#include "kernels/cpu/simd.hpp"

#include <cstdint>

namespace shoal::kernels {

/// The sum of a[i] b[i], in as many partial sums as fill the widest registers: the same bits on
/// every instruction set.
SHOAL_INLINE float dot(const float* a, const float* b, std::int64_t n) {
  constexpr int lanes = 16;
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float part : sums) sum += part;
  return sum;
}

} // namespace shoal::kernels
