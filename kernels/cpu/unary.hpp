#pragma once

#include "kernels/elementwise.hpp"

#include <cstdint>

namespace shoal::kernels {

/// Whether `unary` below has a vectorised loop for `f`.
bool has_unary(unary_function f);

/// out[i] = f(in[i]) for i < count, by the approximations of math.hpp; in place if `in` is `out`.
/// Uses the OpenMP threads of the caller when the work is large.
void unary(unary_function f, const unary_parameters& with, const float* in, float* out,
           std::int64_t count);

} // namespace shoal::kernels
