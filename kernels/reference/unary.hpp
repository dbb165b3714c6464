#pragma once

#include "kernels/elementwise.hpp"
#include "kernels/view.hpp"

namespace shoal::reference {

/// out[i] = f(in[i]) over all stored elements; both have the same type, extents and layout.
/// Floating types are computed in double, integers (relu, neg, abs, sign; what rounds leaves them
/// alone) in themselves. Works in place.
void unary(unary_function f, const unary_parameters& with, const const_view& in, const view& out);

/// f(x) in double.
double apply(unary_function f, const unary_parameters& with, double x);

} // namespace shoal::reference
