#include "runtime/schedule/scheduler_core.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>

// Plans, admission and routes; what happens to attempts afterwards is in scheduler_attempts.cpp.

namespace shoal {

namespace {

constexpr std::size_t max_stages = 1024;
constexpr std::size_t max_replicas = 1024; // per stage

result<void> check_stages(const std::string& model, const stage_replicas& stages) {
  if (stages.empty() || stages.size() > max_stages)
    return fail(errc::invalid_argument, "model {}: expected 1 to {} stages, got {}", model,
                max_stages, stages.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    if (stages[s].empty() || stages[s].size() > max_replicas)
      return fail(errc::invalid_argument, "model {}: expected 1 to {} replicas of stage {}, got {}",
                  model, max_replicas, s, stages[s].size());
    for (const auto& one : stages[s])
      if (!(one.planned.compute_s >= 0 && std::isfinite(one.planned.compute_s) &&
            one.planned.transfer_s >= 0 && std::isfinite(one.planned.transfer_s)))
        return fail(errc::invalid_argument, "model {}: stage {} on {} has no sensible times", model,
                    s, to_string(one.executor.node));
  }
  return {};
}

} // namespace

scheduler_core::scheduler_core(std::uint64_t seed, scheduler_options options)
    : options_(options), random_(seed), queue_(options.queue), budget_(options.retry) {}

result<void> scheduler_core::set_plan(const std::string& model, std::uint64_t epoch,
                                      stage_replicas stages) {
  SHOAL_CHECK(check_stages(model, stages));
  const auto known = plans_.find(model);
  if (known != plans_.end() && epoch <= known->second.epoch)
    return fail(errc::invalid_argument, "model {}: expected a plan epoch above {}, got {}", model,
                known->second.epoch, epoch);
  auto& plan = plans_[model];
  if (plan.lane == 0) plan.lane = next_lane_++;
  plan.epoch = epoch;
  plan.stages = std::move(stages);
  choice_.estimates().forget_model(plan.lane); // its stages may be others now
  return {};
}

bool scheduler_core::drained(const std::string& model, std::uint64_t epoch) const {
  const auto plan = plans_.find(model);
  return plan == plans_.end() || !plan->second.out.contains(epoch);
}

result<void> scheduler_core::check(const schedule_request& request, instant now) const {
  if (!plans_.contains(request.model))
    return fail(errc::not_found, "request {}: no plan for model {}", request.id, request.model);
  if (request.parts == 0 || request.parts > queue_.capacity())
    return fail(errc::invalid_argument, "request {}: expected 1 to {} parts, got {}", request.id,
                queue_.capacity(), request.parts);
  if (request.deadline > now + options_.max_deadline)
    return fail(errc::invalid_argument, "request {}: expected a deadline within {} s, got {} s",
                request.id, to_seconds(options_.max_deadline), to_seconds(request.deadline - now));
  const auto open = parts_.lower_bound({request.id, 0});
  const auto ended = ended_.lower_bound({request.id, 0});
  if ((open != parts_.end() && open->first.request == request.id) ||
      (ended != ended_.end() && ended->first.request == request.id))
    return fail(errc::invalid_argument, "request id {} is in use", request.id);
  return {};
}

route_load scheduler_core::load_of(const plan_state& plan, const schedule_request& request,
                                   instant now) const {
  route_load load;
  load.stages = plan.stages.size();
  load.in_flight = plan.in_flight;
  load.waiting =
      queue_.ahead_of({{request.id, 0}, plan.lane, request.priority, request.deadline, now});
  if (const auto pace = choice_.pace(plan.lane, request.shape_class, plan.stages)) {
    load.latency_s = pace->latency_s;
    load.interval_s = pace->interval_s;
  }
  return load;
}

result<ticket> scheduler_core::submit(const schedule_request& request, instant now) {
  retry_after_ = {};
  SHOAL_CHECK(check(request, now));
  const auto& plan = plans_.at(request.model);
  if (waiting_parts() + request.parts > queue_.capacity()) {
    retry_after_ = queue_.retry_after() * request.parts;
    return fail(errc::resource_exhausted,
                "request {}: {} of {} places in the queue are taken, and it needs {}: try again "
                "after {} ms",
                request.id, waiting_parts(), queue_.capacity(), request.parts,
                retry_after_.count());
  }
  auto decision = admit(load_of(plan, request, now), request.parts, request.deadline, now);
  if (!decision.verdict) {
    retry_after_ = decision.retry_after;
    return std::move(decision.verdict).error().within(fmt::format("request {}", request.id));
  }
  for (std::uint32_t p = 0; p < request.parts; ++p) {
    const part_id id{request.id, p};
    auto& part = parts_[id];
    part.request = request;
    part.since = now;
    deadlines_.emplace(request.deadline, id);
    queue_.readmit(waiting_part(id, part)); // there is room: it was checked for all parts at once
  }
  budget_.accepted(request.parts);
  return ticket{request.id, request.parts, decision.predicted_finish};
}

queued_part scheduler_core::waiting_part(const part_id& id, const part_state& part) const {
  const auto& request = part.request;
  return {id, plans_.at(request.model).lane, request.priority, request.deadline, part.since};
}

void scheduler_core::start_delayed(instant now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const auto id = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    auto& part = parts_.at(id);
    part.delayed_until.reset();
    queue_.readmit(waiting_part(id, part));
  }
}

std::optional<route_choice> scheduler_core::find_route(const queued_part& waiting,
                                                       instant now) const {
  const auto& part = parts_.at(waiting.id);
  const auto& plan = plans_.at(part.request.model);
  std::vector<executor_id> avoid;
  for (const auto& attempt : part.attempts)
    avoid.insert(avoid.end(), attempt.executors.begin(), attempt.executors.end());
  return choice_.choose(plan.lane, part.request.shape_class, plan.stages,
                        queue_.lane_size(plan.lane) - 1, avoid, now);
}

std::optional<assignment> scheduler_core::next_route(instant now) {
  expire_deadlines(unreported_, now);
  start_delayed(now);
  std::optional<route_choice> route;
  const auto ready = [&](const queued_part& waiting) {
    route = find_route(waiting, now);
    return route.has_value();
  };
  const auto next = queue_.pop_ready(ready, now);
  if (!next) return std::nullopt;
  return start(next->id, *route, now);
}

assignment scheduler_core::start(const part_id& id, const route_choice& route, instant now) {
  auto& part = parts_.at(id);
  auto& plan = plans_.at(part.request.model);
  attempt_record attempt;
  attempt.number = static_cast<std::uint32_t>(part.attempts.size() + 1);
  attempt.epoch = plan.epoch;
  for (std::size_t s = 0; s < route.replicas.size(); ++s)
    attempt.visits.push_back(plan.stages[s][route.replicas[s]].executor);
  attempt.executors = attempt.visits;
  std::sort(attempt.executors.begin(), attempt.executors.end());
  attempt.executors.erase(std::unique(attempt.executors.begin(), attempt.executors.end()),
                          attempt.executors.end());
  attempt.started = now;
  attempt.due = now + from_seconds(route.expected_s);
  attempt.lease_end = now + std::max(options_.attempt_lease,
                                     from_seconds(options_.attempt_factor * route.expected_s));
  choice_.acquire(attempt.executors, attempt.due);
  leases_.emplace(attempt.lease_end, id, attempt.number);
  ++plan.out[plan.epoch];
  ++plan.in_flight;
  part.attempts.push_back(attempt);
  return {
      {id, plan.epoch}, attempt.number, part.request.model, route.replicas, part.request.deadline};
}

std::optional<instant> scheduler_core::next_wakeup() const {
  if (!unreported_.ended.empty() || !unreported_.retrying.empty()) return instant::min();
  std::optional<instant> next;
  const auto consider = [&](instant at) { next = next ? std::min(*next, at) : at; };
  if (!delayed_.empty()) consider(delayed_.begin()->first);
  if (!deadlines_.empty()) consider(deadlines_.begin()->first);
  if (!leases_.empty()) consider(std::get<0>(*leases_.begin()));
  return next;
}

void scheduler_core::set_node_open(const incarnation& node, bool open) {
  if (!lost_.contains(node)) choice_.set_open(node, open);
}

void scheduler_core::set_round_trip(const executor_id& executor, double seconds) {
  if (!lost_.contains(executor.node)) choice_.set_round_trip(executor, seconds);
}

} // namespace shoal
