#pragma once

#include "kernels/dtype.hpp"

#include <cmath>
#include <type_traits>

namespace shoal {

/// Elements of any type in order; halves by their value.
template <class T>
bool is_nan(T value) {
  if constexpr (std::is_integral_v<T>)
    return false;
  else if constexpr (std::is_floating_point_v<T>)
    return std::isnan(value);
  else
    return std::isnan(static_cast<float>(value));
}

template <class T>
bool precedes(T a, T b) {
  if constexpr (std::is_arithmetic_v<T>)
    return a < b;
  else
    return static_cast<float>(a) < static_cast<float>(b);
}

} // namespace shoal
