#include "kernels/reference/attention.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal::reference {
namespace {

/// The weighted mean of the values for one query of one head.
void attend(const attention_problem& p, const attention_mask& mask, std::int64_t b, std::int64_t h,
            std::int64_t s, const float* q, const float* k, const float* v, float* scores,
            float* y) {
  const auto keys = p.keys_seen(mask, s);
  double highest = -std::numeric_limits<double>::infinity();
  for (std::int64_t t = 0; t < keys; ++t) {
    double sum = 0;
    for (std::int64_t i = 0; i < p.size; ++i)
      sum += static_cast<double>(q[i]) * static_cast<double>(k[t * p.k.row + i]);
    scores[t] = static_cast<float>(sum * static_cast<double>(p.scale) +
                                   static_cast<double>(mask.at(b, h, s, t)));
    highest = std::max(highest, static_cast<double>(scores[t]));
  }
  double total = 0;
  for (std::int64_t t = 0; t < keys; ++t) {
    scores[t] = static_cast<float>(std::exp(static_cast<double>(scores[t]) - highest));
    total += static_cast<double>(scores[t]);
  }
  for (std::int64_t i = 0; i < p.value_size; ++i) {
    double sum = 0;
    for (std::int64_t t = 0; t < keys; ++t)
      sum += static_cast<double>(scores[t]) * static_cast<double>(v[t * p.v.row + i]);
    y[i] = keys > 0 ? static_cast<float>(sum / total) : 0.0f;
  }
}

} // namespace

std::int64_t attention_scratch(const attention_problem& p, int) {
  return p.keys;
}

void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scratch, float* y) {
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t h = 0; h < p.heads; ++h)
      for (std::int64_t s = 0; s < p.queries; ++s)
        attend(p, mask, b, h, s, p.q.at(q, b, h, s), p.k.at(k, b, h), p.v.at(v, b, h), scratch,
               p.y_at(y, b, h, s));
}

} // namespace shoal::reference
