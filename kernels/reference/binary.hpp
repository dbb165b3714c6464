#pragma once

#include "kernels/dtype.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/loop_nest.hpp"

namespace shoal::reference {

/// out = f(a, b) over the operands (a, b, out) of `nest`, all of `type`. Halves are computed in
/// float. Integers wrap around on overflow. Throws `kernel_error` on integer division by zero.
void binary(binary_function f, dtype type, const loop_nest& nest, const void* a, const void* b,
            void* out);

/// out = a ^ b, where the exponent may have another type than base and result. Computed in double,
/// integers rounded towards zero and saturated.
void power(dtype type, dtype exponent_type, const loop_nest& nest, const void* a, const void* b,
           void* out);

/// out = a ? b, with `out` of bool. Comparisons with NaN are false.
void compare(comparison f, dtype type, const loop_nest& nest, const void* a, const void* b,
             bool* out);

/// out = condition ? a : b over the operands (condition, a, b, out), elements of `size` bytes.
void select(std::size_t size, const loop_nest& nest, const bool* condition, const void* a,
            const void* b, void* out);

} // namespace shoal::reference
