#pragma once

#include "kernels/reference/attention.hpp"

namespace shoal::kernels {

/// As the reference, in float; threads share batch entries and heads.
void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scores, float* y);

} // namespace shoal::kernels
