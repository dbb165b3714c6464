#pragma once

#include "kernels/dtype.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/loop_nest.hpp"

namespace shoal::kernels {

/// Whether `binary` below has a vectorised loop for `f` on `type`.
bool has_binary(binary_function f, dtype type);

/// out = f(a, b) over the operands (a, b, out) of `nest`, merged, in whose innermost loop every
/// stride is 0 or 1 and that of `out` is 1. In place where `out` is an operand of the same strides.
/// Uses the OpenMP threads of the caller when the work is large.
void binary(binary_function f, dtype type, const loop_nest& nest, const void* a, const void* b,
            void* out);

} // namespace shoal::kernels
