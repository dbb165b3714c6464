#pragma once

#include "actors/interfaces.hpp"
#include "actors/messages.hpp"
#include "actors/post_office.hpp"
#include "actors/stage_program.hpp"

#include <memory>

namespace shoal {

struct shard_state {
  static inline const char* name = "shard";
};

/// Hosts `program`: has the executor run each part that comes, and passes the result on along the
/// part's route. A part of another plan epoch, or past its deadline, goes to its last hop as a
/// failure; it is never run.
shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self,
                                 std::shared_ptr<stage_program> program, executor_actor runs_on,
                                 std::shared_ptr<post_office> office);

} // namespace shoal
