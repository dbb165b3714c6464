#include "actors/scheduler.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/schedule/membership_table.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace shoal {
namespace {

using pointer = scheduler_actor::stateful_pointer<scheduler_state>;

constexpr auto look_again = std::chrono::milliseconds(100);

part_name name_of(const part_id& id) {
  return {id.request, id.part, 0, 0};
}

/// One part of a request is over: when it was the last one, so is the request.
void forget_part(pointer self, std::uint64_t request) {
  const auto found = self->state.clients.find(request);
  if (found != self->state.clients.end() && --found->second.open_parts == 0)
    self->state.clients.erase(found);
}

void tell_ended(pointer self, const part_id& id, const error& why) {
  ++self->state.status.failed;
  if (const auto found = self->state.clients.find(id.request); found != self->state.clients.end())
    self->send(found->second.reply_to, ended_atom_v, name_of(id), failure::of(why));
  forget_part(self, id.request);
}

void tell_ended(pointer self, const aftermath& after) {
  for (const auto& ending : after.ended)
    tell_ended(self, ending.id,
               ending.failure ? *ending.failure
                              : error(errc::cancelled, "the request was withdrawn"));
}

/// Replicas of one stage lie beside each other.
std::size_t first_shard_of(const deployment& d, std::size_t stage) {
  const auto found = std::ranges::find(d.stages, stage);
  return static_cast<std::size_t>(found - d.stages.begin());
}

void grant(pointer self, const assignment& a) {
  const auto& plan = self->state.plans.at(a.model).at(a.key.epoch);
  const auto found = self->state.clients.find(a.key.id.request);
  if (found == self->state.clients.end()) return;
  const part_name name{a.key.id.request, a.key.id.part, a.attempt, a.key.epoch};
  route_grant granted{name, {}};
  for (std::size_t s = 0; s < a.route.size(); ++s)
    granted.shards.push_back(plan.shards[first_shard_of(plan, s) + a.route[s]]);
  self->send(found->second.reply_to, granted_atom_v, std::move(granted));
}

/// Grants what can be granted, and sees to it that the core is asked again in time.
void pump(pointer self) {
  auto& s = self->state;
  const auto now = self->clock().now();
  while (const auto next = s.core->next_route(now)) grant(self, *next);
  auto wakeup = s.core->next_wakeup();
  // That an executor stalls is only seen by time passing.
  if (s.core->waiting_parts() > 0)
    wakeup = std::min(wakeup.value_or(instant::max()), now + look_again);
  if (!wakeup || (s.timer && *s.timer <= *wakeup)) return;
  s.timer = wakeup;
  self->delayed_send(scheduler_actor(self), *wakeup > now ? *wakeup - now : time_span::zero(),
                     caf::tick_atom_v);
}

void submit(pointer self, const submission& s, const splitter_actor& reply_to) {
  const auto now = self->clock().now();
  schedule_request request;
  request.id = s.request;
  request.parts = s.parts;
  request.model = s.model;
  request.priority = s.priority;
  request.deadline = now + std::chrono::microseconds(s.remaining_us);
  request.shape_class = s.shape_class;
  if (auto ticket = self->state.core->submit(request, now); !ticket) {
    ++self->state.status.failed;
    auto why = ticket.error();
    if (const auto wait = self->state.core->retry_after().count(); wait > 0)
      why = error(why.code(), fmt::format("{} (retry after {} ms)", why.message(), wait));
    self->send(reply_to, ended_atom_v, part_name{s.request, 0, 0, 0}, failure::of(why));
    return;
  }
  self->state.clients[s.request] = {reply_to, s.parts};
  const auto address = caf::actor_cast<caf::actor_addr>(reply_to);
  if (self->state.monitored.insert(address).second) self->monitor(reply_to);
}

const deployment* find_plan(pointer self, std::uint64_t epoch) {
  for (const auto& [model, epochs] : self->state.plans)
    if (const auto found = epochs.find(epoch); found != epochs.end()) return &found->second;
  return nullptr;
}

/// The shard of this stage that a part went through; none if the node has several.
std::optional<std::size_t> shard_on(const deployment& d, std::size_t stage,
                                    const incarnation& node) {
  std::optional<std::size_t> found;
  for (std::size_t i = first_shard_of(d, stage); i < d.shards.size() && d.stages[i] == stage; ++i) {
    if (d.shards[i].process.id != node) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

/// Remembers what the stages of a part took beside what was planned.
void learn(pointer self, const part_report& r) {
  const auto* d = find_plan(self, r.name.epoch);
  if (d == nullptr || !r.error.empty() || d->stages.empty() ||
      r.stages.size() != d->stages.back() + std::size_t{1})
    return;
  std::vector<paced_stage> stages;
  for (std::size_t s = 0; s < r.stages.size(); ++s) {
    const auto i = shard_on(*d, s, r.stages[s].node);
    if (!i) return;
    stages.push_back({{d->shards[*i].process.id, d->devices[*i]},
                      static_cast<double>(d->claimed_us[*i]),
                      static_cast<double>(r.stages[s].compute_us)});
  }
  self->state.paces.observe(d->epoch, stages);
}

void report(pointer self, const part_report& r) {
  learn(self, r);
  attempt_report outcome;
  if (!r.error.empty()) {
    outcome.failure = r.error.front().to_error();
    const auto code = outcome.failure->code();
    // What is wrong with the input stays wrong; the rest may go better elsewhere.
    const bool final = code == errc::invalid_argument || code == errc::unsupported ||
                       code == errc::malformed || code == errc::deadline_exceeded ||
                       code == errc::cancelled;
    outcome.outcome = r.executor_lost ? attempt_outcome::executor_lost
                      : final         ? attempt_outcome::refused
                                      : attempt_outcome::failed;
  }
  for (const auto& stage : r.stages)
    outcome.trace.push_back({static_cast<double>(stage.queue_us) * 1e-6,
                             static_cast<double>(stage.compute_us) * 1e-6,
                             static_cast<double>(stage.transfer_us) * 1e-6});
  const part_id id{r.name.request, r.name.part};
  const auto verdict =
      self->state.core->completed({id, r.name.epoch}, r.name.attempt, outcome, self->clock().now());
  if (verdict.verdict == report_verdict::finished) {
    ++self->state.status.finished;
    forget_part(self, id.request);
  } else if (verdict.verdict == report_verdict::failed) {
    tell_ended(self, id, *verdict.failure);
  }
}

result<void> use_plan(pointer self, const deployment& d) {
  stage_replicas stages;
  for (std::size_t i = 0; i < d.shards.size(); ++i) {
    replica one;
    one.executor = {d.shards[i].process.id, d.devices[i]};
    one.planned.compute_s = static_cast<double>(d.expected_us[i]) * 1e-6;
    if (d.stages[i] >= stages.size()) stages.emplace_back();
    stages.back().push_back(one);
  }
  SHOAL_CHECK(self->state.core->set_plan(d.model, d.epoch, std::move(stages)));
  self->state.plans[d.model][d.epoch] = d;
  return {};
}

void forget_drained_plans(pointer self) {
  for (auto& [model, epochs] : self->state.plans)
    while (epochs.size() > 1 && self->state.core->drained(model, epochs.begin()->first))
      epochs.erase(epochs.begin());
}

void member_changed(pointer self, const member_news& news) {
  auto& core = *self->state.core;
  const auto& id = news.node.process.id;
  switch (static_cast<membership_change>(news.change)) {
  case membership_change::joined:
  case membership_change::recovered:
    core.set_node_open(id, true);
    break;
  case membership_change::suspected:
  case membership_change::draining:
    core.set_node_open(id, false);
    break;
  case membership_change::left:
  case membership_change::lost:
    tell_ended(self, core.node_lost(id, self->clock().now()));
    break;
  }
}

/// A client is gone: nobody waits for its requests any more.
void client_lost(pointer self, const caf::actor_addr& who) {
  self->state.monitored.erase(who);
  std::vector<std::uint64_t> gone;
  for (const auto& [id, client] : self->state.clients)
    if (caf::actor_cast<caf::actor_addr>(client.reply_to) == who) gone.push_back(id);
  for (const auto id : gone) {
    self->state.core->cancel(id, self->clock().now());
    self->state.clients.erase(id);
  }
}

} // namespace

scheduler_actor::behavior_type scheduler(pointer self, std::uint64_t seed,
                                         scheduler_options options) {
  self->state.core.emplace(seed, options);
  self->set_down_handler([=](const caf::down_msg& down) {
    client_lost(self, down.source);
    pump(self);
  });
  return {
      [=](submit_atom, const submission& s, const splitter_actor& reply_to) {
        submit(self, s, reply_to);
        pump(self);
      },
      [=](report_atom, const part_report& r) {
        report(self, r);
        pump(self);
      },
      [=](cancel_atom, std::uint64_t request) {
        self->state.core->cancel(request, self->clock().now());
        self->state.clients.erase(request);
        pump(self);
      },
      [=](planned_atom, const deployment& d) {
        if (use_plan(self, d)) forget_drained_plans(self);
        pump(self);
      },
      [=](news_atom, const member_news& news) {
        member_changed(self, news);
        pump(self);
      },
      [=](status_atom) {
        auto status = self->state.status;
        status.waiting = self->state.core->waiting_parts();
        status.in_flight = self->state.core->open_parts() - status.waiting;
        return status;
      },
      [=](pace_atom) {
        std::vector<device_slowness> all;
        for (const auto& [executor, factor] : self->state.paces.slowness())
          all.push_back({executor.node, executor.device, factor});
        return all;
      },
      [=](caf::tick_atom) {
        self->state.timer.reset();
        tell_ended(self, self->state.core->expire(self->clock().now()));
        pump(self);
      },
  };
}

} // namespace shoal
