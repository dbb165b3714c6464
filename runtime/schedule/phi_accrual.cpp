#include "runtime/schedule/phi_accrual.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {

void phi_accrual::heartbeat(instant now) {
  if (last_) {
    intervals_.push_back(to_seconds(now - *last_));
    if (intervals_.size() > options_.window) intervals_.pop_front();
  }
  last_ = now;
}

double phi_accrual::phi(instant now) const {
  if (!last_ || intervals_.size() < std::max<std::size_t>(options_.min_samples, 1)) return 0;
  double mean = 0;
  for (const double interval : intervals_) mean += interval;
  mean /= static_cast<double>(intervals_.size());
  double variance = 0;
  for (const double interval : intervals_) variance += (interval - mean) * (interval - mean);
  variance /= static_cast<double>(intervals_.size());
  const auto sigma = std::max(std::sqrt(variance), options_.min_sigma_s);
  const auto x = (to_seconds(now - *last_) - mean) / sigma;
  const auto later = 0.5 * std::erfc(x / std::sqrt(2.0));
  constexpr double certain = 300; // where the probability is too small for a double
  return later > 0 ? std::min(certain, -std::log10(later)) : certain;
}

} // namespace shoal
