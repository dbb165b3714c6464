#include "kernels/cpu/attention.hpp"

#include "kernels/cpu/math.hpp"
#include "kernels/cpu/parallel.hpp"

#include <algorithm>
#include <limits>

namespace shoal::kernels {
namespace {

constexpr int lanes = 16;

SHOAL_INLINE float dot(const float* a, const float* b, std::int64_t n) {
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  float sum = 0;
  for (; i < n; ++i) sum += a[i] * b[i];
  for (const float part : sums) sum += part;
  return sum;
}

/// Softmax weights of `n` scores, not yet divided by their sum, which is returned.
SHOAL_INLINE float exponentials(float* scores, std::int64_t n) {
  float highest = -std::numeric_limits<float>::infinity();
  for (std::int64_t t = 0; t < n; ++t) highest = scores[t] > highest ? scores[t] : highest;
  for (std::int64_t t = 0; t < n; ++t) scores[t] = math::exp(scores[t] - highest);
  float total = 0;
  for (std::int64_t t = 0; t < n; ++t) total += scores[t];
  return total;
}

/// One query of one head; `scores` holds what the mask adds.
SHOAL_MULTIVERSION void attend(const attention_problem& p, std::int64_t keys, const float* q,
                               const float* k, const float* v, float* scores, float* y) {
  for (std::int64_t t = 0; t < keys; ++t)
    scores[t] += p.scale * dot(q, k + t * p.key_stride, p.size);
  const float total = exponentials(scores, keys);
  std::fill_n(y, p.value_size, 0.0f);
  for (std::int64_t t = 0; t < keys; ++t) {
    const float weight = scores[t] / total;
    const auto* row = v + t * p.value_stride;
    for (std::int64_t i = 0; i < p.value_size; ++i) y[i] += weight * row[i];
  }
}

} // namespace

void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scores, float* y) {
  parallel_pieces(p.batch * p.heads, 1, [&](std::int64_t first, std::int64_t last) {
    for (auto bh = first; bh < last; ++bh) {
      const auto b = bh / p.heads, h = bh % p.heads;
      auto* own = scores + bh * p.keys;
      for (std::int64_t s = 0; s < p.queries; ++s) {
        const auto keys = mask.causal ? std::min(p.keys, s + 1 + p.keys - p.queries) : p.keys;
        for (std::int64_t t = 0; t < keys; ++t) own[t] = mask.at(b, h, s, t);
        attend(p, keys, q + (b * p.queries + s) * p.query_stride + h * p.size,
               k + b * p.keys * p.key_stride + h * p.size,
               v + b * p.keys * p.value_stride + h * p.value_size, own,
               y + ((b * p.queries + s) * p.heads + h) * p.value_size);
      }
    }
  });
}

} // namespace shoal::kernels
