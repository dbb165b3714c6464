#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// The determinant of each matrix [...,n,n] of x by Gaussian elimination with partial pivoting.
/// Floating types, plain; `scratch` holds n * n numbers.
void determinant(const const_view& x, const view& y, double* scratch);

} // namespace shoal::reference
