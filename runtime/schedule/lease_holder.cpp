#include "runtime/schedule/lease_holder.hpp"

#include <algorithm>

namespace shoal {

bool lease_holder::confirm(instant sent, instant now) {
  if (fenced(now)) return false;
  confirmed_ = std::max(confirmed_, std::min(sent, now));
  return true;
}

bool lease_holder::fenced(instant now) {
  if (now >= fences_at()) fenced_ = true;
  return fenced_;
}

} // namespace shoal
