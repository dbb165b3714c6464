#include "runtime/plan/replicas.hpp"

#include <algorithm>
#include <numeric>

namespace shoal {
namespace {

double seconds_on(const device_profile& device, const plan_stage& stage, const cost_model& model) {
  if (device.layer_seconds.empty())
    return model.segment(stage.first_layer, stage.last_layer).seconds / device.speed;
  const auto begin = device.layer_seconds.begin();
  return std::accumulate(begin + static_cast<std::ptrdiff_t>(stage.first_layer),
                         begin + static_cast<std::ptrdiff_t>(stage.last_layer), 0.0);
}

/// Between two results of each stage, all its replicas at work.
std::vector<double> intervals_of(const execution_plan& plan) {
  std::vector<double> rates;
  for (const auto& stage : plan.stages) rates.push_back(1 / std::max(stage.expected_seconds, 1e-9));
  for (const auto& replica : plan.replicas)
    rates[replica.stage] += 1 / std::max(replica.expected_seconds, 1e-9);
  for (auto& rate : rates) rate = 1 / rate;
  return rates;
}

} // namespace

void add_replicas(execution_plan& plan, const cost_model& model,
                  std::span<const device_profile> devices) {
  const auto idle = std::exchange(plan.idle, {});
  for (const auto& free : idle) {
    const auto& device = devices[free.device];
    const auto intervals = intervals_of(plan);
    std::optional<std::size_t> slowest;
    for (std::size_t s = 0; s < plan.stages.size(); ++s)
      if (plan.stages[s].memory_bytes <= device.memory_bytes &&
          (!slowest || intervals[s] > intervals[*slowest]))
        slowest = s;
    if (!slowest) {
      plan.idle.push_back({free.device, free.device_name, idle_reason::memory});
      continue;
    }
    plan.replicas.push_back({*slowest, free.device, device.unit, device.node, device.name,
                             seconds_on(device, plan.stages[*slowest], model)});
  }
  const auto intervals = intervals_of(plan);
  plan.bottleneck_s = plan.final_transfer_seconds;
  for (std::size_t s = 0; s < plan.stages.size(); ++s)
    plan.bottleneck_s =
        std::max({plan.bottleneck_s, intervals[s], plan.stages[s].transfer_seconds});
}

} // namespace shoal
