#include "runtime/schedule/executor_choice.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

namespace shoal {

namespace {

/// A part that goes to a slow executor moves up those that wait, and those that come while they
/// wait: counting the first twice stands for both. Chosen by simulation (2 fast and 6 eight times
/// slower executors, loads 0.3 to 0.9): once is slower at the median and the tail, four times at
/// the tail.
constexpr double backlog_weight = 2;

/// Times away vary. Without a margin, two equal stages would share two or three credits by chance,
/// and with two the one waits for the other whenever that is late.
constexpr double away_margin = 1.25;

bool contains(std::span<const executor_id> executors, const executor_id& one) {
  return std::find(executors.begin(), executors.end(), one) != executors.end();
}

} // namespace

std::size_t credits_for(double away_s, double service_s) {
  constexpr std::size_t least = 2;
  constexpr std::size_t most = 64;
  if (!(away_s > 0 && service_s > 0)) return least;
  const auto wanted = std::ceil(away_margin * away_s / service_s) + 1;
  return wanted < double{most} ? std::max(least, static_cast<std::size_t>(wanted)) : most;
}

const executor_choice::executor_state& executor_choice::state(const executor_id& executor) const {
  static const executor_state untouched;
  const auto found = executors_.find(executor);
  return found == executors_.end() ? untouched : found->second;
}

std::optional<std::vector<double>> executor_choice::idle_times(std::uint64_t model,
                                                               std::uint64_t shape,
                                                               const stage_replicas& stages) const {
  std::vector<double> times;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    std::optional<double> best;
    for (const auto& one : stages[s]) {
      if (!is_open(one.executor.node)) continue;
      const auto service = estimates_.estimate({model, static_cast<std::uint32_t>(s), shape},
                                               one.executor, one.planned);
      const auto seconds = service.compute_s + service.transfer_s;
      best = best ? std::min(*best, seconds) : seconds;
    }
    if (!best) return std::nullopt;
    times.push_back(*best);
  }
  return times;
}

std::optional<executor_choice::candidate>
executor_choice::choose_replica(const work_class& work, std::span<const replica> replicas,
                                double others_s, std::size_t waiting,
                                std::span<const executor_id> avoid, instant now) const {
  std::optional<candidate> free;
  std::optional<candidate> busy;
  double busy_rate = 0; // parts per second of those without a credit
  for (std::size_t r = 0; r < replicas.size(); ++r) {
    const auto& executor = replicas[r].executor;
    if (!is_open(executor.node) || contains(avoid, executor)) continue;
    const auto service = estimates_.estimate(work, executor, replicas[r].planned);
    const auto& there = state(executor);
    const auto in_flight = there.due.size();
    const auto overdue = in_flight == 0 ? 0.0 : std::max(0.0, to_seconds(now - *there.due.begin()));
    const candidate one{r, static_cast<double>(in_flight + 1) * service.compute_s +
                               service.transfer_s + overdue};
    const auto away_s = others_s + service.transfer_s + there.round_trip_s;
    const bool has_credit = in_flight < credits_for(away_s, service.compute_s);
    if (!has_credit && service.compute_s > 0) busy_rate += 1 / service.compute_s;
    auto& best = has_credit ? free : busy;
    if (!best || one.expected_s < best->expected_s) best = one;
  }
  if (!free) {
    // Waiting for one that is not to be avoided beats going back to one that is.
    const bool other_way = busy || avoid.empty();
    return other_way ? std::nullopt : choose_replica(work, replicas, others_s, waiting, {}, now);
  }
  const auto backlog_s =
      busy_rate > 0 ? backlog_weight * static_cast<double>(waiting) / busy_rate : 0;
  if (busy && busy->expected_s + backlog_s < free->expected_s) return std::nullopt;
  return free;
}

std::optional<route_choice> executor_choice::choose(std::uint64_t model, std::uint64_t shape,
                                                    const stage_replicas& stages,
                                                    std::size_t waiting,
                                                    std::span<const executor_id> avoid,
                                                    instant now) const {
  const auto idle = idle_times(model, shape, stages);
  if (!idle) return std::nullopt;
  const auto whole_s = std::accumulate(idle->begin(), idle->end(), 0.0);
  route_choice route;
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const work_class work{model, static_cast<std::uint32_t>(s), shape};
    const auto best = choose_replica(work, stages[s], whole_s - (*idle)[s], waiting, avoid, now);
    if (!best) return std::nullopt;
    route.replicas.push_back(best->index);
    route.expected_s += best->expected_s;
  }
  return route;
}

std::optional<route_pace> executor_choice::pace(std::uint64_t model, std::uint64_t shape,
                                                const stage_replicas& stages) const {
  const auto idle = idle_times(model, shape, stages);
  if (!idle) return std::nullopt;
  route_pace pace{std::accumulate(idle->begin(), idle->end(), 0.0), 0};
  for (std::size_t s = 0; s < stages.size(); ++s) {
    double rate = 0;
    for (const auto& one : stages[s]) {
      if (!is_open(one.executor.node)) continue;
      const auto service = estimates_.estimate({model, static_cast<std::uint32_t>(s), shape},
                                               one.executor, one.planned);
      // Transfers and computing overlap: the longer of the two sets the pace.
      rate += 1 / std::max({service.compute_s, service.transfer_s, 1e-9});
    }
    pace.interval_s = std::max(pace.interval_s, 1 / rate);
  }
  return pace;
}

void executor_choice::acquire(std::span<const executor_id> executors, instant due) {
  for (const auto& executor : executors) executors_[executor].due.insert(due);
}

void executor_choice::release(std::span<const executor_id> executors, instant due) {
  for (const auto& executor : executors) {
    auto& taken = executors_[executor].due;
    const auto found = taken.find(due);
    assert(found != taken.end() && "a credit is given back once");
    if (found != taken.end()) taken.erase(found);
  }
}

void executor_choice::set_open(const incarnation& node, bool open) {
  if (open)
    closed_.erase(node);
  else
    closed_.insert(node);
}

void executor_choice::set_round_trip(const executor_id& executor, double seconds) {
  executors_[executor].round_trip_s = seconds;
}

std::size_t executor_choice::in_flight(const executor_id& executor) const {
  return state(executor).due.size();
}

std::size_t executor_choice::total_in_flight() const {
  std::size_t total = 0;
  for (const auto& [executor, state] : executors_) total += state.due.size();
  return total;
}

void executor_choice::forget_node(const incarnation& node) {
  estimates_.forget_node(node);
  closed_.erase(node);
  std::erase_if(executors_, [&](const auto& item) { return item.first.node == node; });
}

} // namespace shoal
