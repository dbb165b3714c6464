#include "runtime/base/fail.hpp"
#include "runtime/schedule/scheduler_core.hpp"

#include <algorithm>
#include <cassert>

// What becomes of attempts: reports, losses, retirement, expiry.

namespace shoal {

scheduler_core::attempt_record* scheduler_core::find_attempt(part_state& part, const task_key& key,
                                                             std::uint32_t number) {
  if (number == 0 || number > part.attempts.size()) return nullptr;
  auto& attempt = part.attempts[number - 1];
  return attempt.epoch == key.epoch && attempt.state != attempt_state::closed ? &attempt : nullptr;
}

void scheduler_core::free_credits(part_state& part, const part_id& id, attempt_record& attempt) {
  assert(attempt.state == attempt_state::running);
  choice_.release(attempt.executors, attempt.due);
  leases_.erase({attempt.lease_end, id, attempt.number});
  --plans_.at(part.request.model).in_flight;
}

void scheduler_core::close(part_state& part, const part_id& id, attempt_record& attempt) {
  if (attempt.state == attempt_state::closed) return;
  if (attempt.state == attempt_state::running) free_credits(part, id, attempt);
  attempt.state = attempt_state::closed;
  auto& out = plans_.at(part.request.model).out;
  if (--out[attempt.epoch] == 0) out.erase(attempt.epoch);
}

void scheduler_core::learn(const part_state& part, const attempt_record& attempt,
                           const attempt_report& report) {
  const auto& plan = plans_.at(part.request.model);
  if (attempt.epoch != plan.epoch) return; // its stages may have been others
  const auto stages = std::min(report.trace.size(), attempt.visits.size());
  for (std::size_t s = 0; s < stages; ++s)
    choice_.estimates().observe(
        {plan.lane, static_cast<std::uint32_t>(s), part.request.shape_class}, attempt.visits[s],
        {report.trace[s].compute_s, report.trace[s].transfer_s});
}

bool scheduler_core::waits(const part_id& id, const part_state& part) const {
  return part.delayed_until.has_value() || queue_.contains(id);
}

void scheduler_core::end(part_map::iterator part, instant now) {
  const auto id = part->first;
  auto& state = part->second;
  for (auto& attempt : state.attempts) close(state, id, attempt);
  queue_.remove(id);
  if (state.delayed_until) delayed_.erase({*state.delayed_until, id});
  deadlines_.erase({state.request.deadline, id});
  const auto retries = options_.retry.max_delay * options_.retry.max_attempts;
  const auto until = std::max(state.request.deadline, now) + retries + options_.node_lease;
  ended_.emplace(id, until);
  forget_.emplace(until, id);
  parts_.erase(part);
}

bool scheduler_core::try_again(const part_id& id, part_state& part, retry_cost cost, instant now) {
  const auto attempts = static_cast<std::uint32_t>(part.attempts.size());
  if (attempts >= options_.retry.max_attempts) return false;
  if (cost == retry_cost::budget && !budget_.spend()) return false;
  part.delayed_until = now + retry_delay(options_.retry, attempts, random_);
  delayed_.emplace(*part.delayed_until, id);
  return true;
}

std::optional<error> scheduler_core::settle(part_map::iterator part, error cause, retry_cost cost,
                                            instant now) {
  auto& [id, state] = *part;
  auto failure = std::move(cause).within(to_string(id));
  if (state.executors_lost >= options_.poison_after) {
    failure = fail(errc::poisoned, "{} (model {}): {} executors were lost with it; the last: {}",
                   to_string(id), state.request.model, state.executors_lost, failure.message());
  } else {
    const bool goes_on =
        waits(id, state) || std::any_of(state.attempts.begin(), state.attempts.end(),
                                        [](auto& a) { return a.state != attempt_state::closed; });
    if (goes_on || try_again(id, state, cost, now)) return std::nullopt;
    failure = error(failure.code(), fmt::format("{} (after {} attempts, no more allowed)",
                                                failure.message(), state.attempts.size()));
  }
  end(part, now);
  return failure;
}

void scheduler_core::settle(part_map::iterator part, error cause, aftermath& after, instant now) {
  const auto id = part->first;
  if (auto failure = settle(part, std::move(cause), retry_cost::free, now))
    after.ended.push_back({id, std::move(failure)});
  else
    after.retrying.push_back(id);
}

report_result scheduler_core::completed(const task_key& key, std::uint32_t number,
                                        const attempt_report& report, instant now) {
  const auto part = parts_.find(key.id);
  if (part == parts_.end()) {
    if (ended_.contains(key.id)) return {report_verdict::duplicate, std::nullopt};
    return {report_verdict::stale, fail(errc::stale, "{} is not known", to_string(key.id))};
  }
  auto& state = part->second;
  auto* attempt = find_attempt(state, key, number);
  if (attempt == nullptr)
    return {report_verdict::stale,
            fail(errc::stale,
                 "{}: attempt {} of epoch {} is over: it reported before, its node was lost or its "
                 "epoch retired",
                 to_string(key.id), number, key.epoch)};
  if (report.outcome == attempt_outcome::success) {
    learn(state, *attempt, report);
    end(part, now);
    return {report_verdict::finished, std::nullopt};
  }
  auto cause = report.failure.value_or(error(errc::internal, "failed without saying why"));
  if (report.outcome == attempt_outcome::refused) {
    end(part, now);
    return {report_verdict::failed, std::move(cause).within(to_string(key.id))};
  }
  const bool lost = report.outcome == attempt_outcome::executor_lost;
  if (lost) ++state.executors_lost;
  close(state, key.id, *attempt);
  auto failure = settle(part, std::move(cause), lost ? retry_cost::free : retry_cost::budget, now);
  return {failure ? report_verdict::failed : report_verdict::retrying, std::move(failure)};
}

void scheduler_core::reached(const task_key& key, std::uint32_t number, std::size_t stage) {
  const auto part = parts_.find(key.id);
  if (part == parts_.end()) return;
  if (auto* attempt = find_attempt(part->second, key, number))
    if (stage < attempt->visits.size()) attempt->stage = stage;
}

aftermath scheduler_core::node_lost(const incarnation& node, instant now) {
  aftermath after;
  if (!lost_.emplace(node, now).second) return after;
  for (auto next = parts_.begin(); next != parts_.end();) {
    const auto part = next++; // settling may erase it
    auto& [id, state] = *part;
    bool affected = false;
    bool blamed = false;
    for (auto& attempt : state.attempts) {
      const bool visits =
          std::any_of(attempt.visits.begin(), attempt.visits.end(),
                      [&](const executor_id& executor) { return executor.node == node; });
      if (attempt.state == attempt_state::closed || !visits) continue;
      affected = true;
      blamed |= !attempt.stage || attempt.visits[*attempt.stage].node == node;
      close(state, id, attempt);
    }
    if (!affected) continue;
    if (blamed) ++state.executors_lost;
    settle(part, fail(errc::unavailable, "node {} was lost", to_string(node)), after, now);
  }
  choice_.forget_node(node);
  choice_.set_open(node, false);
  return after;
}

aftermath scheduler_core::retire(const std::string& model, std::uint64_t epoch, instant now) {
  aftermath after;
  const auto plan = plans_.find(model);
  if (plan == plans_.end() || plan->second.epoch == 0) return after;
  const auto fenced = std::min(epoch, plan->second.epoch - 1);
  for (auto next = parts_.begin(); next != parts_.end();) {
    const auto part = next++;
    auto& [id, state] = *part;
    if (state.request.model != model) continue;
    bool affected = false;
    for (auto& attempt : state.attempts) {
      if (attempt.state == attempt_state::closed || attempt.epoch > fenced) continue;
      affected = true;
      close(state, id, attempt);
    }
    if (affected)
      settle(part, fail(errc::stale, "plan epoch {} of model {} was retired", fenced, model), after,
             now);
  }
  return after;
}

aftermath scheduler_core::remove_model(const std::string& model, instant now) {
  aftermath after;
  const auto plan = plans_.find(model);
  if (plan == plans_.end()) return after;
  for (auto next = parts_.begin(); next != parts_.end();) {
    const auto part = next++;
    const auto id = part->first;
    if (part->second.request.model != model) continue;
    end(part, now);
    after.ended.push_back(
        {id, fail(errc::unavailable, "{}: model {} was removed", to_string(id), model)});
  }
  choice_.estimates().forget_model(plan->second.lane);
  plans_.erase(plan);
  return after;
}

aftermath scheduler_core::cancel(std::uint64_t request, instant now) {
  aftermath after;
  for (auto next = parts_.lower_bound({request, 0});
       next != parts_.end() && next->first.request == request;) {
    const auto part = next++;
    const auto id = part->first;
    end(part, now);
    after.ended.push_back({id, fail(errc::cancelled, "{} was withdrawn", to_string(id))});
  }
  return after;
}

void scheduler_core::expire_deadlines(aftermath& after, instant now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto part = parts_.find(deadlines_.begin()->second);
    const auto& [id, state] = *part;
    std::string where = "while it waited for an executor";
    if (!waits(id, state) && !state.attempts.empty()) {
      const auto& last = state.attempts.back();
      const auto stage = last.stage.value_or(0);
      where =
          fmt::format("in attempt {}, {} stage {} on node {}", last.number,
                      last.stage ? "in" : "sent to", stage + 1, to_string(last.visits[stage].node));
    }
    auto failure = fail(errc::deadline_exceeded, "{} (model {}): its deadline came {}",
                        to_string(id), state.request.model, where);
    const auto ended = id;
    end(part, now);
    after.ended.push_back({ended, std::move(failure)});
  }
}

void scheduler_core::expire_leases(aftermath& after, instant now) {
  while (!leases_.empty() && std::get<0>(*leases_.begin()) <= now) {
    const auto [lease_end, id, number] = *leases_.begin();
    auto& part = parts_.at(id);
    auto& attempt = part.attempts[number - 1];
    // What did not come back in so long says something about where it went, if that is known.
    const auto stage = attempt.visits.size() == 1 ? std::optional<std::size_t>(0) : attempt.stage;
    const auto& plan = plans_.at(part.request.model);
    if (stage && attempt.epoch == plan.epoch)
      choice_.estimates().observe(
          {plan.lane, static_cast<std::uint32_t>(*stage), part.request.shape_class},
          attempt.visits[*stage], {to_seconds(now - attempt.started), 0});
    free_credits(part, id, attempt);
    attempt.state = attempt_state::lapsed;
    if (!waits(id, part) && try_again(id, part, retry_cost::budget, now))
      after.retrying.push_back(id);
  }
}

void scheduler_core::forget(instant now) {
  while (!forget_.empty() && forget_.begin()->first <= now) {
    ended_.erase(forget_.begin()->second);
    forget_.erase(forget_.begin());
  }
  std::erase_if(lost_, [&](const auto& item) {
    const auto& node = item.first;
    if (now - item.second < options_.lost_node_memory) return false;
    for (const auto& [model, plan] : plans_)
      for (const auto& stage : plan.stages)
        for (const auto& one : stage)
          if (one.executor.node == node) return false;
    choice_.set_open(node, true); // forgets that it was closed
    return true;
  });
}

aftermath scheduler_core::expire(instant now) {
  auto after = std::move(unreported_);
  unreported_ = {};
  expire_deadlines(after, now);
  expire_leases(after, now);
  forget(now);
  return after;
}

} // namespace shoal
