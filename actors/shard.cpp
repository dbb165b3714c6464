#include "actors/shard.hpp"

#include "runtime/base/fail.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = shard_actor::stateful_pointer<shard_state>;

/// Why this part must not run here, if so.
std::optional<error> refusal(const part& p, const stage_program& program, instant now) {
  if (p.name.epoch != program.name.epoch)
    return fail(errc::stale, "plan epoch {} came, this shard belongs to {}", p.name.epoch,
                program.name.epoch);
  if (p.position + 1 >= p.way->hops.size())
    return fail(errc::malformed, "a shard cannot be the last hop of a route");
  if (now >= p.deadline)
    return fail(errc::deadline_exceeded, "the deadline passed on the way to the stage");
  return std::nullopt;
}

/// In which layouts the next hop takes values: a stage in any, but over a link unpadded ones.
output_layouts layouts_for_next(const part& p, const post_office& office) {
  const auto& hops = p.way->hops;
  if (p.position + 2 >= hops.size()) return output_layouts::plain;
  const bool is_here = hops[p.position + 1].process.id == office.self().id;
  return is_here ? output_layouts::any : output_layouts::unpadded;
}

void pass_on(part_ptr p, post_office& office) {
  p->position = p->failure ? static_cast<std::uint32_t>(p->way->hops.size() - 1) : p->position + 1;
  office.send(std::move(p));
}

/// Adds where it happened. Which request and part it was the scheduler adds.
error located(const part& p, const stage_program& program, const incarnation& node) {
  return p.failure->within(fmt::format("stage {} of '{}' on node {}", program.name.stage + 1,
                                       program.name.model, to_string(node)));
}

} // namespace

shard_actor::behavior_type shard(pointer self, std::shared_ptr<stage_program> program,
                                 executor_actor runs_on, std::shared_ptr<post_office> office) {
  return {
      [=](part_atom, part_ptr& p) {
        p->trace.push_back({office->self().id, 0, 0, p->transfer_us, p->received_bytes});
        p->transfer_us = p->received_bytes = 0;
        if (auto why = refusal(*p, *program, self->clock().now())) {
          p->failure = std::move(why);
          p->failure = located(*p, *program, office->self().id);
          p->values.clear();
          return pass_on(std::move(p), *office);
        }
        p->program = program;
        p->leaving = layouts_for_next(*p, *office);
        p->shard = caf::actor_cast<caf::actor>(self);
        self->send(runs_on, run_atom_v, std::move(p));
      },
      [=](done_atom, part_ptr& p) {
        if (p->failure) {
          p->failure = located(*p, *program, office->self().id);
          p->values.clear();
        } else {
          program->parts_done.fetch_add(1, std::memory_order_relaxed);
          program->compute_us.fetch_add(p->trace.back().compute_us, std::memory_order_relaxed);
        }
        pass_on(std::move(p), *office);
      },
  };
}

} // namespace shoal
