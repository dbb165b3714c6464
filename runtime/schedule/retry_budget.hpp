#pragma once

#include "runtime/schedule/instant.hpp"

#include <algorithm>
#include <cstdint>
#include <random>

namespace shoal {

struct retry_options {
  std::uint32_t max_attempts = 3;
  double budget = 0.1;        ///< retries per accepted part
  double budget_reserve = 10; ///< retries allowed before any part was accepted
  double budget_cap = 100;    ///< retries that can be saved up
  time_span base_delay = std::chrono::milliseconds(20);
  time_span max_delay = std::chrono::milliseconds(500);
};

/// Retries stay a small share of the work, so that a failing cluster is not finished off by them.
class retry_budget {
 public:
  explicit retry_budget(const retry_options& options)
      : options_(options), tokens_(options.budget_reserve) {}

  void accepted(std::uint32_t parts) {
    tokens_ = std::min(options_.budget_cap, tokens_ + options_.budget * parts);
  }
  bool spend() {
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  retry_options options_;
  double tokens_;
};

/// Full jitter: uniform between nothing and base · 2^(attempt − 1), capped. Attempts count from 1.
inline time_span retry_delay(const retry_options& options, std::uint32_t attempt,
                             std::mt19937_64& random) {
  const auto doublings = std::min<std::uint32_t>(attempt > 0 ? attempt - 1 : 0, 20);
  const auto most = std::min(options.max_delay, options.base_delay * (1 << doublings));
  if (most <= time_span::zero()) return time_span::zero();
  // The standard distributions differ between libraries; a modulus replays anywhere.
  return time_span(
      static_cast<time_span::rep>(random() % static_cast<std::uint64_t>(most.count())));
}

} // namespace shoal
