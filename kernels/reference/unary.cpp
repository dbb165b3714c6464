#include "kernels/reference/unary.hpp"

#include <cmath>
#include <numbers>
#include <type_traits>

namespace shoal::reference {
namespace {

double clamp(double x, double low, double high) {
  const double raised = x < low ? low : x;
  return raised > high ? high : raised;
}

double softplus(double x) {
  return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

double activation(unary_function f, const unary_parameters& with, double x) {
  const double p = with.p, q = with.q;
  switch (f) {
  case unary_function::relu:
    return x < 0 ? 0 : x;
  case unary_function::leaky_relu:
    return x < 0 ? p * x : x;
  case unary_function::elu:
    return x < 0 ? p * std::expm1(x) : x;
  case unary_function::selu:
    return q * (x <= 0 ? p * std::expm1(x) : x);
  case unary_function::celu:
    return x < 0 ? p * std::expm1(x / p) : x;
  case unary_function::thresholded_relu:
    return x <= p ? 0 : x;
  case unary_function::sigmoid:
    return 1 / (1 + std::exp(-x));
  case unary_function::hard_sigmoid:
    return clamp(p * x + q, 0, 1);
  case unary_function::hard_swish:
    return x * clamp(x / 6 + 0.5, 0, 1);
  case unary_function::softplus:
    return std::isnan(x) ? x : softplus(x);
  case unary_function::softsign:
    return std::isinf(x) ? std::copysign(1.0, x) : x / (1 + std::fabs(x));
  case unary_function::gelu:
    return 0.5 * x * (1 + std::erf(x / std::numbers::sqrt2));
  case unary_function::gelu_tanh:
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  case unary_function::swish:
    return x / (1 + std::exp(-p * x));
  case unary_function::mish:
    return std::isnan(x) ? x : x * std::tanh(softplus(x));
  case unary_function::shrink:
    return x < -q ? x + p : x <= q ? 0 : x - p;
  default:
    return clamp(x, p, q);
  }
}

double exact(unary_function f, double x) {
  switch (f) {
  case unary_function::sqrt:
    return std::sqrt(x);
  case unary_function::reciprocal:
    return 1 / x;
  case unary_function::neg:
    return -x;
  case unary_function::abs:
    return std::fabs(x);
  case unary_function::sign:
    return std::isnan(x) ? x : (x > 0) - (x < 0);
  case unary_function::floor:
    return std::floor(x);
  case unary_function::ceil:
    return std::ceil(x);
  default:
    return std::nearbyint(x); // the rounding mode is never changed: halves to even
  }
}

double transcendental(unary_function f, double x) {
  switch (f) {
  case unary_function::tanh:
    return std::tanh(x);
  case unary_function::erf:
    return std::erf(x);
  case unary_function::exp:
    return std::exp(x);
  case unary_function::log:
    return std::log(x);
  case unary_function::sin:
    return std::sin(x);
  case unary_function::cos:
    return std::cos(x);
  case unary_function::tan:
    return std::tan(x);
  case unary_function::asin:
    return std::asin(x);
  case unary_function::acos:
    return std::acos(x);
  case unary_function::atan:
    return std::atan(x);
  case unary_function::sinh:
    return std::sinh(x);
  case unary_function::cosh:
    return std::cosh(x);
  case unary_function::asinh:
    return std::asinh(x);
  case unary_function::acosh:
    return std::acosh(x);
  default:
    return std::atanh(x);
  }
}

/// In the type itself, where double would lose digits. Signed overflow wraps.
template <class T>
T integer(unary_function f, T x) {
  using bits = std::make_unsigned_t<T>;
  const T negated = static_cast<T>(bits{0} - static_cast<bits>(x));
  switch (f) {
  case unary_function::relu:
    return x < T{0} ? T{0} : x;
  case unary_function::neg:
    return negated;
  case unary_function::abs:
    return x < T{0} ? negated : x;
  case unary_function::sign:
    return static_cast<T>((x > T{0}) - (x < T{0}));
  default:
    return x; // floor, ceil, round
  }
}

} // namespace

double apply(unary_function f, const unary_parameters& with, double x) {
  switch (f) {
  case unary_function::sqrt:
  case unary_function::reciprocal:
  case unary_function::neg:
  case unary_function::abs:
  case unary_function::sign:
  case unary_function::floor:
  case unary_function::ceil:
  case unary_function::round:
    return exact(f, x);
  case unary_function::tanh:
  case unary_function::erf:
  case unary_function::exp:
  case unary_function::log:
  case unary_function::sin:
  case unary_function::cos:
  case unary_function::tan:
  case unary_function::asin:
  case unary_function::acos:
  case unary_function::atan:
  case unary_function::sinh:
  case unary_function::cosh:
  case unary_function::asinh:
  case unary_function::acosh:
  case unary_function::atanh:
    return transcendental(f, x);
  default:
    return activation(f, with, x);
  }
}

void unary(unary_function f, const unary_parameters& with, const const_view& in, const view& out) {
  const auto count = stored_elements(in.dims, in.format);
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    const T* from = in.as<T>();
    T* to = out.as<T>();
    if constexpr (std::is_same_v<T, bool>) {
      for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
    } else if constexpr (std::is_integral_v<T>) {
      for (std::int64_t i = 0; i < count; ++i) to[i] = integer<T>(f, from[i]);
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        const double x = static_cast<double>(from[i]);
        if constexpr (std::is_same_v<T, double>)
          to[i] = apply(f, with, x);
        else
          to[i] = T(static_cast<float>(apply(f, with, x)));
      }
    }
  });
}

} // namespace shoal::reference
