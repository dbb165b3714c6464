#include "runtime/schedule/service_estimates.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {

void service_estimates::observe(const work_class& work, const executor_id& executor,
                                service_time seen) {
  const auto is_time = [](double s) { return s >= 0 && std::isfinite(s); };
  if (capacity_ == 0 || !is_time(seen.compute_s) || !is_time(seen.transfer_s)) return;
  const key name{work.model, work.stage, executor, work.shape};
  const auto at = ++observations_;
  if (const auto found = entries_.find(name); found != entries_.end()) {
    auto& mean = found->second.mean;
    mean.compute_s += weight * (seen.compute_s - mean.compute_s);
    mean.transfer_s += weight * (seen.transfer_s - mean.transfer_s);
    found->second.observed_at = at;
    return;
  }
  if (entries_.size() >= capacity_)
    entries_.erase(std::min_element(entries_.begin(), entries_.end(), [](auto& a, auto& b) {
      return a.second.observed_at < b.second.observed_at;
    }));
  entries_.emplace(name, entry{seen, at});
}

service_time service_estimates::estimate(const work_class& work, const executor_id& executor,
                                         service_time planned) const {
  if (const auto found = entries_.find({work.model, work.stage, executor, work.shape});
      found != entries_.end())
    return found->second.mean;
  const entry* latest = nullptr;
  for (auto other = entries_.lower_bound({work.model, work.stage, executor, 0});
       other != entries_.end() && other->first.model == work.model &&
       other->first.stage == work.stage && other->first.executor == executor;
       ++other)
    if (latest == nullptr || other->second.observed_at > latest->observed_at)
      latest = &other->second;
  return latest != nullptr ? latest->mean : planned;
}

void service_estimates::forget_model(std::uint64_t model) {
  std::erase_if(entries_, [&](const auto& item) { return item.first.model == model; });
}

void service_estimates::forget_node(const incarnation& node) {
  std::erase_if(entries_, [&](const auto& item) { return item.first.executor.node == node; });
}

} // namespace shoal
