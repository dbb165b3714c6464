#pragma once

#include "kernels/reference/attention.hpp"

namespace shoal::kernels {

/// As the reference, in float; threads share batch entries, heads and blocks of queries. Several
/// queries are taken at once where there are several: their scores come from one product, and so do
/// their results. `scratch` has `attention_scratch` floats.
void attention(const attention_problem& p, const attention_mask& mask, const float* q,
               const float* k, const float* v, float* scratch, float* y);

/// For runs with up to `threads` threads.
std::int64_t attention_scratch(const attention_problem& p, int threads);

} // namespace shoal::kernels
