#pragma once

#include "kernels/dtype.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

namespace shoal::reference {

/// One element as another type. Floats to integers: truncated towards zero and saturated, NaN to 0;
/// integers among each other wrap around; to bool: whether not zero; to the smaller floats: to the
/// nearest, by way of float for 16 bits.
template <class To, class From>
constexpr To convert(From value) {
  constexpr bool from_half = std::is_same_v<From, half> || std::is_same_v<From, bfloat16>;
  constexpr bool to_half = std::is_same_v<To, half> || std::is_same_v<To, bfloat16>;
  if constexpr (from_half) {
    if constexpr (std::is_same_v<From, To>)
      return value;
    else
      return convert<To>(static_cast<float>(value));
  } else if constexpr (to_half) {
    return To(static_cast<float>(value));
  } else if constexpr (std::is_same_v<To, bool>) {
    return value != From{0};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // The largest values that From can hold below 2^n and at least -2^n.
    if (!(value == value)) return To{0};
    constexpr From end = static_cast<From>(std::numeric_limits<To>::max() / 2 + 1) * From{2};
    if (value >= end) return std::numeric_limits<To>::max();
    if (value <= static_cast<From>(std::numeric_limits<To>::lowest()))
      return std::numeric_limits<To>::lowest();
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// `value` in `type`: an operand of one element, in as many of the bytes as it needs.
inline std::array<std::byte, 8> scalar(dtype type, double value) {
  std::array<std::byte, 8> bytes{};
  visit_dtype(type, [&]<class T>(std::type_identity<T>) {
    const T converted = convert<T>(value);
    std::memcpy(bytes.data(), &converted, sizeof converted);
  });
  return bytes;
}

} // namespace shoal::reference
