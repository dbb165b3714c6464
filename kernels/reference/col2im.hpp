#pragma once

#include "kernels/view.hpp"
#include "kernels/window.hpp"

namespace shoal::reference {

/// The sum of overlapping blocks: column l of x [N,C * taps,L] holds, per channel, what the window
/// `at` sees of y [N,C,spatial...] at its l-th place; where windows overlap they are summed.
/// Floating types in double, in `sums`, one per element of a channel of y.
void col2im(const const_view& x, const view& y, const window& at, double* sums);

} // namespace shoal::reference
