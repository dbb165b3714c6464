#pragma once

#include "runtime/tensor/tensor.hpp"

#include <algorithm>
#include <cstdint>
#include <span>

namespace shoal {

/// Elements [first, first + out.size()) of a row-major tensor as float64. Exact but for integers
/// beyond 2^53, which are rounded to nearest even.
void read_elements(const tensor& from, std::int64_t first, std::span<double> out);

/// The way back. Floating point is rounded to nearest even, halves by way of float32; integers are
/// rounded to nearest even and end at the limits of their type, NaN becomes 0; a boolean is whether
/// the value is not 0.
void write_elements(std::span<const double> values, tensor& to, std::int64_t first);

/// A float64 tensor of zeros.
result<tensor> zeros_f64(const shape& dims);

/// Calls `f(first, count)` for pieces of [0, n) that fit a buffer on the stack.
inline constexpr std::int64_t piece_elements = 1024;
template <class F>
void for_each_piece(std::int64_t n, const F& f) {
  for (std::int64_t first = 0; first < n; first += piece_elements)
    f(first, static_cast<std::size_t>(std::min(piece_elements, n - first)));
}

/// A tensor as runs along one axis: element (o, k, i) lies at (o·extent + k)·inner + i.
struct axis_layout {
  int axis = 0;
  std::int64_t outer = 1, extent = 1, inner = 1;
};

/// A negative `axis` counts from the last. `invalid_argument` if there is no such axis, or if its
/// extent is 0.
result<axis_layout> layout_along(int axis, const shape& dims);

/// The extents without one axis.
shape without_axis(const shape& dims, int axis);

/// The index of the greatest of `n` values that are `step` apart; the least index of equal ones, a
/// NaN is less than every number.
std::int64_t argmax(const double* values, std::int64_t n, std::int64_t step);

} // namespace shoal
