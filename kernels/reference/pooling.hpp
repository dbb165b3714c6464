#pragma once

#include "kernels/view.hpp"
#include "kernels/window.hpp"

#include <cstddef>

namespace shoal::reference {

/// The largest element of each window of x [N,C,spatial...], padding left out; the lowest number
/// where a window has nothing but padding. Any type but bool, plain.
void max_pool(const const_view& x, const view& y, const window& at);

/// Where in x that element is, the first if there are several: its place in all of x, rows first,
/// or with `column_major` its plane's place, then that within the plane with the first axis
/// innermost. -1 where a window has nothing but padding.
void max_pool_indices(const const_view& x, const view& indices, const window& at,
                      bool column_major);

/// y = 0, then every element of x goes to its place in `indices` (int64), which counts the elements
/// of a tensor of extents `pooled`; y has the same rank and, perhaps, larger extents.
/// `kernel_error` when a place lies outside. Elements of `size` bytes.
void max_unpool(std::size_t size, const const_view& x, const const_view& indices,
                const shape& pooled, const view& y);

/// The p-th root of the sum of |x|^p over each window, padding left out. Floating types, plain.
void lp_pool(const const_view& x, const view& y, const window& at, double p);

/// The mean of each window. With `count_padding` the divisor counts the padding that the window
/// `at` states, but not what lies beyond it. Floating types, plain.
void average_pool(const const_view& x, const view& y, const window& at, bool count_padding);

} // namespace shoal::reference
