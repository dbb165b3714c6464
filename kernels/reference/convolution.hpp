#pragma once

#include "kernels/activation.hpp"
#include "kernels/view.hpp"
#include "kernels/window.hpp"

namespace shoal::reference {

/// y[n,m,o] = f(bias[m] + z[n,m,o] + sum over c, k of w[m,c,k] * x[n, group(m)*C/groups + c,
/// o*stride - pad + k*dilation]), zeros outside x. x is [N,C,spatial...], w [M,C/groups,kernel...],
/// all plain and of one floating type; sums are of doubles. `bias` and `z` have no data when
/// absent.
void convolution(const const_view& x, const const_view& w, const const_view& bias,
                 const const_view& z, const view& y, const window& at, std::int64_t groups,
                 const activation& f);

/// The adjoint: y[n,m,i*stride - pad + k*dilation] += w[c,m,k] * x[n,c,i], with w
/// [C,M/groups,kernel...].
void transposed_convolution(const const_view& x, const const_view& w, const const_view& bias,
                            const view& y, const window& at, std::int64_t groups);

/// f(x) in double.
double apply(const activation& f, double x);

} // namespace shoal::reference
