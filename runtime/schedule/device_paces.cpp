#include "runtime/schedule/device_paces.hpp"

#include <algorithm>
#include <limits>

namespace shoal {

void device_paces::observe(std::uint64_t epoch, std::span<const paced_stage> stages) {
  auto& p = plans_[epoch];
  if (plans_.size() > most_plans) plans_.erase(plans_.begin());
  if (!plans_.contains(epoch) || ++p.parts <= parts_ignored) return;
  std::map<executor_id, paced_stage> sums;
  for (const auto& stage : stages) {
    auto& sum = sums[stage.executor];
    sum.planned_s += stage.planned_s;
    sum.took_s += stage.took_s;
  }
  for (const auto& [executor, sum] : sums) {
    if (sum.planned_s <= 0 || sum.took_s <= 0) continue;
    const auto ratio = sum.took_s / sum.planned_s;
    auto& mean = p.mean.try_emplace(executor, ratio).first->second;
    mean += weight * (ratio - mean);
  }
}

std::map<executor_id, double> device_paces::slowness() const {
  std::map<executor_id, double> all;
  for (const auto& [epoch, p] : plans_) {
    if (p.parts < parts_needed) continue;
    auto best = std::numeric_limits<double>::max();
    for (const auto& [executor, mean] : p.mean) best = std::min(best, mean);
    for (const auto& [executor, mean] : p.mean)
      all[executor] = mean / best < noise ? 1 : mean / best;
  }
  return all;
}

} // namespace shoal
