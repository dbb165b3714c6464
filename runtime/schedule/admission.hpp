#pragma once

#include "runtime/base/result.hpp"
#include "runtime/schedule/instant.hpp"

#include <cstddef>

namespace shoal {

/// How busy the route of a model is.
struct route_load {
  std::size_t waiting = 0;   ///< parts in the queue that go before
  std::size_t in_flight = 0; ///< parts on their way through the stages
  std::size_t stages = 1;
  double latency_s = 0;  ///< one part through all stages, nothing in its way; 0: not known
  double interval_s = 0; ///< between two results when full: slowest stage over its replicas
};

struct admission_decision {
  result<void> verdict;                     ///< deadline_exceeded when it would be too late
  std::chrono::milliseconds retry_after{0}; ///< when refused: after this it would have been in time
  instant predicted_finish;
};

/// Seconds until `parts` new parts have passed: those in the queue, those in flight beyond what the
/// pipeline overlaps, and their own way through.
double predicted_seconds(const route_load& load, std::size_t parts);

/// Refuses at once what is predicted to finish after its deadline, so that what is accepted is
/// served. Without an estimate (latency 0) everything whose deadline is to come is admitted.
admission_decision admit(const route_load& load, std::size_t parts, instant deadline, instant now);

} // namespace shoal
