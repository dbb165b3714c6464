#pragma once

#include "runtime/schedule/instant.hpp"

#include <cstddef>
#include <deque>
#include <optional>

namespace shoal {

struct phi_options {
  double threshold = 8;
  std::size_t window = 200;
  double min_sigma_s = 0.1;    ///< a quiet network must not make it nervous
  std::size_t min_samples = 8; ///< below this it suspects nobody
};

/// Suspicion of a silent peer as a number (Hayashibara et al., 2004): φ = −log10 of the probability
/// that a heartbeat is still to come after this long a silence, the intervals taken as normal.
/// φ = 8 errs once in 10^8.
class phi_accrual {
 public:
  explicit phi_accrual(phi_options options = {}) : options_(options) {}

  void heartbeat(instant now);
  /// 0 while there are too few samples.
  double phi(instant now) const;
  bool suspicious(instant now) const { return phi(now) >= options_.threshold; }
  std::size_t samples() const { return intervals_.size(); }

 private:
  phi_options options_;
  std::optional<instant> last_;
  std::deque<double> intervals_;
};

} // namespace shoal
