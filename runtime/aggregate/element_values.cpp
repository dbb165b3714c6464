#include "runtime/aggregate/element_values.hpp"

#include "kernels/reference/floating.hpp"
#include "runtime/base/fail.hpp"

#include <cmath>
#include <cstring>
#include <limits>

namespace shoal {
namespace {

template <class T>
T rounded_to(double value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value != 0;
  } else if constexpr (std::is_integral_v<T>) {
    using limits = std::numeric_limits<T>;
    if (std::isnan(value)) return 0;
    const auto whole = std::nearbyint(value);
    // The greatest of 64 bits is no float64: the one above it is.
    if (whole >= static_cast<double>(limits::max())) return limits::max();
    if (whole <= static_cast<double>(limits::min())) return limits::min();
    return static_cast<T>(whole);
  } else {
    return reference::rounded<T>(value);
  }
}

} // namespace

void read_elements(const tensor& from, std::int64_t first, std::span<double> out) {
  visit_dtype(from.element_type(), [&]<class T>(std::type_identity<T>) {
    const auto* values = from.values<T>().data() + first;
    for (std::size_t i = 0; i < out.size(); ++i) {
      if constexpr (std::is_arithmetic_v<T>)
        out[i] = static_cast<double>(values[i]);
      else
        out[i] = static_cast<double>(static_cast<float>(values[i]));
    }
  });
}

void write_elements(std::span<const double> values, tensor& to, std::int64_t first) {
  visit_dtype(to.element_type(), [&]<class T>(std::type_identity<T>) {
    auto* out = to.mutable_values<T>().data() + first;
    for (std::size_t i = 0; i < values.size(); ++i) out[i] = rounded_to<T>(values[i]);
  });
}

result<tensor> zeros_f64(const shape& dims) {
  SHOAL_TRY(auto zeros, tensor::allocate({dtype::f64, dims}));
  if (zeros.byte_size() > 0) std::memset(zeros.mutable_data(), 0, zeros.byte_size());
  return zeros;
}

result<axis_layout> layout_along(int axis, const shape& dims) {
  const int at = axis < 0 ? axis + dims.rank() : axis;
  if (at < 0 || at >= dims.rank())
    return fail(errc::invalid_argument, "shape {} has no axis {}", to_string(dims), axis);
  if (dims[at] == 0)
    return fail(errc::invalid_argument, "axis {} of shape {} holds nothing to choose from", axis,
                to_string(dims));
  return axis_layout{at, dims.element_count(0, at), dims[at],
                     dims.element_count(at + 1, dims.rank())};
}

shape without_axis(const shape& dims, int axis) {
  shape rest;
  for (int i = 0; i < dims.rank(); ++i)
    if (i != axis) rest.push_back(dims[i]);
  return rest;
}

std::int64_t argmax(const double* values, std::int64_t n, std::int64_t step) {
  std::int64_t best = 0;
  for (std::int64_t k = 1; k < n; ++k)
    if (values[k * step] > values[best * step] ||
        (std::isnan(values[best * step]) && !std::isnan(values[k * step])))
      best = k;
  return best;
}

} // namespace shoal
