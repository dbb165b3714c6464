#pragma once

#include <chrono>

namespace shoal {

/// A moment on the steady clock. The schedulers and state machines never read a clock: every call
/// is told what time it is, and calls come in the order of time.
using instant = std::chrono::steady_clock::time_point;
using time_span = std::chrono::steady_clock::duration;

inline double to_seconds(time_span span) {
  return std::chrono::duration<double>(span).count();
}

/// Nearest representable span; what is too long for the clock becomes a hundred years.
inline time_span from_seconds(double seconds) {
  constexpr double century = 3.2e9;
  if (!(seconds < century)) seconds = century;
  if (!(seconds > -century)) seconds = -century;
  return std::chrono::duration_cast<time_span>(std::chrono::duration<double>(seconds));
}

} // namespace shoal
