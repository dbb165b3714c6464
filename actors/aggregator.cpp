#include "actors/aggregator.hpp"

#include "actors/part.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/session/batch_split.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = aggregator_actor::stateful_pointer<aggregator_state>;

void arm_timer(pointer self) {
  auto& s = self->state;
  if (s.deadlines.empty()) return;
  const auto next = s.deadlines.begin()->first;
  if (s.timer && *s.timer <= next) return;
  s.timer = next;
  const auto now = self->clock().now();
  self->delayed_send(aggregator_actor(self), next > now ? next - now : time_span::zero(),
                     caf::tick_atom_v);
}

/// Ends a request: out of the tables first, so that nothing can end it twice.
void finish(pointer self, std::uint64_t id, result<response> outcome) {
  auto& s = self->state;
  const auto found = s.open.find(id);
  if (found == s.open.end()) return;
  const auto what = std::move(found->second.what);
  s.deadlines.erase({what->deadline, id});
  s.open.erase(found);
  what->answer(std::move(outcome));
  self->send(s.splitter, done_atom_v, id);
}

void complete(pointer self, std::uint64_t id) {
  auto& c = self->state.open.find(id)->second;
  auto answer = std::move(c.answer);
  auto joined = join_batch(std::move(c.outputs));
  if (!joined) return finish(self, id, std::move(joined).error());
  answer.outputs = *std::move(joined);
  answer.elapsed_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(self->clock().now() - c.what->started)
          .count());
  finish(self, id, std::move(answer));
}

void take(pointer self, part& p) {
  const auto found = self->state.open.find(p.name.request);
  if (found == self->state.open.end() || p.failure) return;
  auto& c = found->second;
  if (p.name.part >= c.arrived.size() || c.arrived[p.name.part]) return;
  for (const auto& value : p.values)
    if (value.format() != layout::plain)
      return finish(self, p.name.request,
                    fail(errc::malformed, "a result came in layout {}, expected {}",
                         to_string(value.format()), to_string(layout::plain)));
  c.arrived[p.name.part] = true;
  c.outputs[p.name.part] = std::move(p.values);
  c.answer.trace[p.name.part] = std::move(p.trace);
  c.answer.attempts += p.name.attempt;
  if (--c.missing == 0) complete(self, p.name.request);
}

void expire(pointer self) {
  auto& s = self->state;
  s.timer.reset();
  const auto now = self->clock().now();
  while (!s.deadlines.empty() && s.deadlines.begin()->first <= now) {
    const auto id = s.deadlines.begin()->second;
    const auto& c = s.open.at(id);
    finish(self, id,
           fail(errc::deadline_exceeded,
                "request {} for '{}': {} of {} parts had no result by the deadline", id,
                c.what->model, c.missing, c.arrived.size()));
  }
  arm_timer(self);
}

} // namespace

aggregator_actor::behavior_type aggregator(pointer self, scheduler_actor scheduler) {
  return {
      [=](part_atom, part_ptr& p) {
        part_report report{p->name, {}, false, p->trace};
        if (p->failure) report.error.push_back(failure::of(*p->failure));
        self->send(scheduler, report_atom_v, std::move(report));
        take(self, *p);
      },
      [=](expect_atom, request_ptr& what) {
        auto& s = self->state;
        if (!s.splitter) s.splitter = caf::actor_cast<splitter_actor>(self->current_sender());
        aggregator_state::collection c;
        c.outputs.resize(what->parts);
        c.arrived.resize(what->parts, false);
        c.answer.trace.resize(what->parts);
        c.missing = what->parts;
        c.what = what;
        s.deadlines.emplace(what->deadline, what->id);
        s.open.emplace(what->id, std::move(c));
        arm_timer(self);
      },
      [=](ended_atom, const part_name& name, const failure& why) {
        finish(self, name.request, why.to_error());
      },
      [=](caf::tick_atom) { expire(self); },
  };
}

} // namespace shoal
