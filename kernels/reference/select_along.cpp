#include "kernels/reference/select_along.hpp"

#include "kernels/reference/convert.hpp"

#include <algorithm>
#include <numeric>

namespace shoal::reference {
namespace {

/// Calls `f(offset of the first element along the axis, index of the column)` for all columns.
template <class F>
void each_column(const axis_extents& e, F&& f) {
  for (std::int64_t o = 0; o < e.outer; ++o)
    for (std::int64_t i = 0; i < e.inner; ++i) f(o * e.axis * e.inner + i, o * e.inner + i);
}

template <class T>
bool is_larger(T a, T b) {
  if (!(a == a)) return b == b; // NaN
  return a > b;
}

template <class T>
void running_sum(bool exclusive, bool reverse, const axis_extents& e, const T* in, T* out) {
  using accumulator =
      std::conditional_t<std::is_same_v<T, double>, double,
                         std::conditional_t<std::is_integral_v<T>, std::uint64_t, float>>;
  accumulator sum{};
  for (std::int64_t step = 0; step < e.axis; ++step) {
    const auto at = (reverse ? e.axis - 1 - step : step) * e.inner;
    const auto value = static_cast<accumulator>(in[at]);
    out[at] = static_cast<T>(exclusive ? sum : sum + value);
    sum += value;
  }
}

} // namespace

void arg_extremum(bool largest, bool last, const axis_extents& extents, const const_view& in,
                  std::int64_t* out) {
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    each_column(extents, [&](std::int64_t start, std::int64_t column) {
      const T* values = in.as<T>() + start;
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < extents.axis; ++i) {
        const T x = values[i * extents.inner], y = values[best * extents.inner];
        if ((largest ? x > y : x < y) || (last && x == y)) best = i;
      }
      out[column] = best;
    });
  });
}

void cumulative_sum(bool exclusive, bool reverse, const axis_extents& extents, const const_view& in,
                    const view& out) {
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_same_v<T, bool>)
      each_column(extents, [&](std::int64_t start, std::int64_t) {
        running_sum(exclusive, reverse, extents, in.as<T>() + start, out.as<T>() + start);
      });
  });
}

void top_k(bool largest, std::int64_t k, const axis_extents& extents, const const_view& in,
           const view& values, std::int64_t* indices, std::int64_t* scratch) {
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    const auto inner = extents.inner;
    each_column(extents, [&](std::int64_t start, std::int64_t column) {
      const T* from = in.as<T>() + start;
      std::iota(scratch, scratch + extents.axis, 0);
      std::partial_sort(scratch, scratch + k, scratch + extents.axis,
                        [&](std::int64_t a, std::int64_t b) {
                          const T x = from[a * inner], y = from[b * inner];
                          if (is_larger(x, y)) return largest;
                          if (is_larger(y, x)) return !largest;
                          return a < b;
                        });
      const auto first = column / inner * k * inner + column % inner;
      for (std::int64_t i = 0; i < k; ++i) {
        values.as<T>()[first + i * inner] = from[scratch[i] * inner];
        if (indices != nullptr) indices[first + i * inner] = scratch[i];
      }
    });
  });
}

} // namespace shoal::reference
