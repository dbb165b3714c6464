#include "runtime/schedule/request_queue.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace shoal {

result<void> request_queue::push(const queued_part& part) {
  if (parts_.contains(part.id))
    return fail(errc::invalid_argument, "{} is in the queue already", to_string(part.id));
  if (parts_.size() >= options_.capacity)
    return fail(errc::resource_exhausted, "the queue is full with {} parts: try again after {} ms",
                parts_.size(), retry_after().count());
  insert(part);
  return {};
}

void request_queue::readmit(const queued_part& part) {
  assert(!parts_.contains(part.id));
  insert(part);
}

request_queue::rank request_queue::rank_of(const queued_part& part, std::uint64_t arrival) const {
  const auto period = std::max<time_span::rep>(options_.aging_period.count(), 1);
  // Having begun to wait one period earlier counts as much as one step of priority.
  const auto began = part.since.time_since_epoch().count() / period;
  return {began - part.priority, part.deadline, arrival, part.id};
}

void request_queue::insert(const queued_part& part) {
  const auto order = rank_of(part, arrivals_++);
  parts_.emplace(part.id, waiting{part, order});
  lanes_[part.lane].insert(order);
  deadlines_.emplace(part.deadline, part.id);
}

std::size_t request_queue::ahead_of(const queued_part& part) const {
  const auto lane = lanes_.find(part.lane);
  if (lane == lanes_.end()) return 0;
  const auto& ranks = lane->second;
  return static_cast<std::size_t>(
      std::distance(ranks.begin(), ranks.lower_bound(rank_of(part, arrivals_))));
}

queued_part request_queue::take(std::map<part_id, waiting>::iterator position) {
  const auto part = position->second.part;
  const auto lane = lanes_.find(part.lane);
  lane->second.erase(position->second.order);
  if (lane->second.empty()) lanes_.erase(lane);
  deadlines_.erase({part.deadline, part.id});
  parts_.erase(position);
  return part;
}

std::optional<queued_part>
request_queue::pop_ready(const std::function<bool(const queued_part&)>& ready, instant now) {
  std::vector<rank> heads;
  heads.reserve(lanes_.size());
  for (const auto& [lane, ranks] : lanes_) heads.push_back(*ranks.begin());
  std::sort(heads.begin(), heads.end());
  for (const auto& head : heads) {
    const auto position = parts_.find(head.id);
    if (!ready(position->second.part)) continue;
    if (last_pop_) {
      const auto interval = std::clamp(to_seconds(now - *last_pop_), 0.0, 10.0);
      pop_interval_s_ += 0.1 * (interval - pop_interval_s_);
    }
    last_pop_ = now;
    return take(position);
  }
  return std::nullopt;
}

std::vector<queued_part> request_queue::expire(instant now) {
  std::vector<queued_part> late;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now)
    late.push_back(take(parts_.find(deadlines_.begin()->second)));
  return late;
}

bool request_queue::remove(const part_id& id) {
  const auto position = parts_.find(id);
  if (position == parts_.end()) return false;
  take(position);
  return true;
}

std::size_t request_queue::lane_size(std::uint64_t lane) const {
  const auto found = lanes_.find(lane);
  return found == lanes_.end() ? 0 : found->second.size();
}

std::chrono::milliseconds request_queue::retry_after() const {
  return std::chrono::milliseconds(
      std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(pop_interval_s_ * 1e3))));
}

} // namespace shoal
