#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

namespace shoal {

/// Float32 constants of at least 64 elements as `type` (float16 or bfloat16), each with a Cast back
/// behind it: half the bytes, the same arithmetic. `invalid_argument` for numbers that float16
/// cannot hold, `unsupported` for bfloat16 below opset 13.
result<graph> with_half_weights(const graph& model, dtype type);

/// The share `fraction` of each Conv's, Gemm's and MatMul's constant float32 weights that is least
/// in magnitude becomes zero.
result<graph> with_pruned_weights(const graph& model, double fraction);

/// The share of zeros among the floating and 8-bit constants.
double zero_share(const graph& model);

} // namespace shoal
