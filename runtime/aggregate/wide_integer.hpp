#pragma once

#include <concepts>
#include <cstdint>
#include <limits>

namespace shoal {

/// Holds every sum of 2^63 integers of 64 bits.
__extension__ using wide_integer = __int128;

/// The quotient rounded to nearest even; `divisor` > 0.
constexpr wide_integer rounded_quotient(wide_integer value, wide_integer divisor) {
  auto quotient = value / divisor;
  auto rest = value % divisor;
  if (rest < 0) { // the floor instead of what is nearest to 0
    rest += divisor;
    --quotient;
  }
  if (2 * rest > divisor || (2 * rest == divisor && quotient % 2 != 0)) ++quotient;
  return quotient;
}

/// `value`, or the limit of `T` that it is beyond.
template <std::integral T>
constexpr T saturated(wide_integer value) {
  using limits = std::numeric_limits<T>;
  if (value > static_cast<wide_integer>(limits::max())) return limits::max();
  if (value < static_cast<wide_integer>(limits::min())) return limits::min();
  return static_cast<T>(value);
}

} // namespace shoal
