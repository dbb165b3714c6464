#include "runtime/plan/plan.hpp"

#include <set>

namespace shoal {

std::string_view to_string(idle_reason reason) {
  switch (reason) {
  case idle_reason::would_slow:
    return "would slow the pipeline";
  case idle_reason::memory:
    return "memory";
  case idle_reason::not_wanted:
    return "more devices than stages wanted";
  }
  return "unknown";
}

std::size_t execution_plan::devices_used() const {
  std::set<std::size_t> units;
  for (const auto& stage : stages) units.insert(stage.unit);
  for (const auto& replica : replicas) units.insert(replica.unit);
  return units.size();
}

double execution_plan::throughput() const {
  return bottleneck_s > 0 ? 1 / bottleneck_s : 0;
}

double execution_plan::batch_seconds(std::size_t count) const {
  return count == 0 ? 0 : latency_s + static_cast<double>(count - 1) * bottleneck_s;
}

} // namespace shoal
