#pragma once

#include "kernels/view.hpp"
#include "kernels/window.hpp"

namespace shoal::reference {

/// The largest element of each window of x [N,C,spatial...], padding left out; the lowest number
/// where a window has nothing but padding. Any type but bool, plain.
void max_pool(const const_view& x, const view& y, const window& at);

/// The mean of each window. With `count_padding` the divisor counts the padding that the window
/// `at` states, but not what lies beyond it. Floating types, plain.
void average_pool(const const_view& x, const view& y, const window& at, bool count_padding);

} // namespace shoal::reference
