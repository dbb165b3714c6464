#include "actors/ensembler.hpp"

#include "runtime/base/fail.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = ensembler_actor::stateful_pointer<ensembler_state>;

std::uint64_t id_of_member(const ensemble_request& what, std::size_t m) {
  return what.id + 1 + m;
}

void arm_timer(pointer self) {
  auto& s = self->state;
  if (s.deadlines.empty()) return;
  const auto next = s.deadlines.begin()->first;
  if (s.timer && *s.timer <= next) return;
  s.timer = next;
  const auto now = self->clock().now();
  self->delayed_send(ensembler_actor(self), next > now ? next - now : time_span::zero(),
                     caf::tick_atom_v);
}

/// Ends a request: out of the tables first, so that nothing can end it twice.
void finish(pointer self, const splitter_actor& splitter, std::uint64_t id,
            ensemble_round::outcome outcome) {
  auto& s = self->state;
  const auto found = s.open.find(id);
  if (found == s.open.end()) return;
  auto ended = std::move(found->second);
  s.deadlines.erase({ended.what->deadline, id});
  s.open.erase(found);
  for (std::size_t m = 0; m < ended.replied.size(); ++m)
    if (!ended.replied[m]) self->send(splitter, cancel_atom_v, id_of_member(*ended.what, m));
  if (!outcome)
    return ended.what->answer(
        std::move(outcome).error().within(fmt::format("ensemble '{}'", ended.what->ensemble)));
  ensemble_response answer;
  answer.answer = *std::move(outcome);
  answer.efforts = std::move(ended.efforts);
  answer.elapsed_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                     self->clock().now() - ended.what->started)
                                     .count());
  ended.what->answer(std::move(answer));
}

request_ptr request_of_member(pointer self, const ensemble_request& what, std::size_t m) {
  auto one = std::make_shared<request>();
  one->id = id_of_member(what, m);
  one->model = what.members[m].model;
  one->inputs = what.members[m].inputs;
  one->parts = what.parts;
  one->priority = what.priority;
  one->started = what.started;
  one->deadline = what.deadline;
  one->answer = [self = ensembler_actor(self), id = what.id, m](result<response> outcome) {
    caf::anon_send(self, done_atom_v,
                   std::make_shared<const member_reply>(member_reply{id, m, std::move(outcome)}));
  };
  return one;
}

void start(pointer self, const splitter_actor& splitter, const ensemble_request_ptr& what) {
  auto round = ensemble_round::start(what->rules, what->deadline);
  if (!round)
    return what->answer(
        std::move(round).error().within(fmt::format("ensemble '{}'", what->ensemble)));
  auto& s = self->state;
  const auto count = what->members.size();
  s.deadlines.emplace(what->deadline, what->id);
  s.open.emplace(what->id, ensembler_state::open_request{what, *std::move(round),
                                                         std::vector<bool>(count, false),
                                                         std::vector<member_effort>(count)});
  arm_timer(self);
  for (std::size_t m = 0; m < count; ++m)
    self->send(splitter, infer_atom_v, request_of_member(self, *what, m));
}

/// A handler that throws would end the actor, and with it all requests: it ends one.
template <class Work>
void guard(pointer self, const splitter_actor& splitter, std::uint64_t id, const Work& work) {
  try {
    work();
  } catch (const std::exception& e) {
    finish(self, splitter, id, fail(errc::internal, "combining threw: {}", e.what()));
  }
}

/// The model's outputs that the ensemble is interested in.
result<std::vector<tensor>> choose(const std::vector<tensor>& outputs,
                                   const std::vector<std::size_t>& wanted) {
  std::vector<tensor> chosen;
  for (const auto i : wanted) {
    if (i >= outputs.size())
      return fail(errc::internal, "{} outputs came, number {} is wanted", outputs.size(), i + 1);
    chosen.push_back(outputs[i]);
  }
  return chosen;
}

void take(pointer self, const splitter_actor& splitter, const member_reply& reply) {
  const auto found = self->state.open.find(reply.ensemble);
  if (found == self->state.open.end()) return;
  auto& open = found->second;
  if (open.replied[reply.member]) return;
  open.replied[reply.member] = true;
  auto answer = result<std::vector<tensor>>(fail(errc::internal, "no answer"));
  if (reply.outcome) {
    answer = choose(reply.outcome->outputs, open.what->members[reply.member].outputs);
    open.efforts[reply.member] = {reply.outcome->elapsed_us, reply.outcome->attempts};
  } else {
    answer = reply.outcome.error();
  }
  guard(self, splitter, reply.ensemble, [&] {
    if (auto outcome = open.round.take(reply.member, std::move(answer), self->clock().now()))
      finish(self, splitter, reply.ensemble, *std::move(outcome));
  });
}

void expire(pointer self, const splitter_actor& splitter) {
  auto& s = self->state;
  s.timer.reset();
  const auto now = self->clock().now();
  while (!s.deadlines.empty() && s.deadlines.begin()->first <= now) {
    const auto id = s.deadlines.begin()->second;
    guard(self, splitter, id, [&] {
      auto outcome = s.open.at(id).round.expire(now);
      assert(outcome);
      finish(self, splitter, id, *std::move(outcome));
    });
  }
  arm_timer(self);
}

} // namespace

ensembler_actor::behavior_type ensembler(pointer self, splitter_actor splitter) {
  return {
      [=](infer_atom, const ensemble_request_ptr& what) { start(self, splitter, what); },
      [=](done_atom, const member_reply_ptr& reply) { take(self, splitter, *reply); },
      [=](cancel_atom, std::uint64_t id) {
        finish(self, splitter, id, fail(errc::cancelled, "the caller cancelled the request"));
      },
      [=](caf::tick_atom) { expire(self, splitter); },
  };
}

} // namespace shoal
