#include "actors/splitter.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/session/batch_split.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = splitter_actor::stateful_pointer<splitter_state>;

/// Equal for requests that take equally long: the scheduler's estimates go by it.
std::uint64_t shape_class_of(const std::vector<tensor>& inputs) {
  std::uint64_t hash = 0xcbf29ce484222325u; // FNV-1a
  const auto mix = [&hash](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3u; };
  for (const auto& input : inputs) {
    mix(static_cast<std::uint64_t>(input.element_type()));
    for (const auto extent : input.dims()) mix(static_cast<std::uint64_t>(extent));
  }
  return hash;
}

error lost_head() {
  return {errc::unavailable, "the connection to the head is lost"};
}

part_ptr make_part(pointer self, const splitter_state::open_request& open,
                   const route_grant& grant) {
  auto way = std::make_shared<route>();
  way->hops = grant.shards;
  way->hops.push_back(self->state.results);
  auto p = std::make_shared<part>();
  p->name = grant.name;
  p->way = std::move(way);
  p->deadline = open.what->deadline;
  p->values = open.parts[grant.name.part];
  p->trace.reserve(grant.shards.size());
  return p;
}

} // namespace

splitter_actor::behavior_type splitter(pointer self, scheduler_actor scheduler,
                                       aggregator_actor collector, mailbox results,
                                       std::shared_ptr<post_office> office) {
  self->state.results = std::move(results);
  self->monitor(scheduler);
  self->set_down_handler([=](const caf::down_msg&) {
    self->state.scheduler_lost = true;
    for (const auto& [id, open] : self->state.open)
      self->send(collector, ended_atom_v, part_name{id, 0, 0, 0}, failure::of(lost_head()));
  });
  return {
      [=](infer_atom, request_ptr& what) {
        auto parts = split_batch(what->inputs, what->parts);
        if (!parts) return what->answer(std::move(parts).error());
        if (self->state.scheduler_lost) return what->answer(lost_head());
        const auto remaining = what->deadline - self->clock().now();
        const submission s{
            what->id,
            what->parts,
            what->model,
            what->priority,
            static_cast<std::uint64_t>(std::max<std::int64_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(remaining).count(), 0)),
            shape_class_of((*parts)[0])};
        self->send(collector, expect_atom_v, what);
        self->state.open.emplace(what->id, splitter_state::open_request{what, *std::move(parts)});
        self->send(scheduler, submit_atom_v, s, splitter_actor(self));
      },
      [=](granted_atom, const route_grant& grant) {
        const auto found = self->state.open.find(grant.name.request);
        if (found == self->state.open.end() || grant.name.part >= found->second.parts.size() ||
            grant.shards.empty())
          return; // ended meanwhile: the scheduler hears of it from the aggregator
        office->send(make_part(self, found->second, grant));
      },
      [=](ended_atom, const part_name& name, const failure& why) {
        self->send(collector, ended_atom_v, name, why);
      },
      [=](done_atom, std::uint64_t id) { self->state.open.erase(id); },
      [=](cancel_atom, std::uint64_t id) {
        if (self->state.open.erase(id) == 0) return;
        self->send(scheduler, cancel_atom_v, id);
        self->send(collector, ended_atom_v, part_name{id, 0, 0, 0},
                   failure::of({errc::cancelled, "the caller cancelled the request"}));
      },
  };
}

} // namespace shoal
