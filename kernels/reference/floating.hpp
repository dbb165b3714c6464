#pragma once

#include "kernels/view.hpp"

#include <cassert>

namespace shoal::reference {

/// Calls `f(std::type_identity<T>{})` with the floating type that stands for `type`; oracles that
/// know no other types are compiled for four of them only.
template <class F>
void visit_floating(dtype type, F&& f) {
  switch (type) {
  case dtype::f32:
    return f(std::type_identity<float>{});
  case dtype::f64:
    return f(std::type_identity<double>{});
  case dtype::f16:
    return f(std::type_identity<half>{});
  case dtype::bf16:
    return f(std::type_identity<bfloat16>{});
  default:
    assert(!"a floating type");
  }
}

/// Element `i` of a tensor of any floating type; for the few of a vector of coefficients.
inline double element(const const_view& v, std::int64_t i) {
  double out = 0;
  visit_floating(v.type,
                 [&]<class T>(std::type_identity<T>) { out = static_cast<double>(v.as<T>()[i]); });
  return out;
}

/// `x` rounded to `T`. Halves are rounded by way of float.
template <class T>
T rounded(double x) {
  if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
    return T(static_cast<float>(x));
  else
    return static_cast<T>(x);
}

} // namespace shoal::reference
