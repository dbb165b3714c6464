#pragma once

#include "actors/interfaces.hpp"
#include "actors/messages.hpp"
#include "runtime/schedule/device_paces.hpp"
#include "runtime/schedule/scheduler_core.hpp"

#include <map>
#include <optional>
#include <unordered_map>

namespace shoal {

struct scheduler_state {
  static inline const char* name = "scheduler";

  struct client {
    splitter_actor reply_to;
    std::uint32_t open_parts = 0;
  };
  std::optional<scheduler_core> core;
  std::map<std::string, std::map<std::uint64_t, deployment>> plans; ///< by model and epoch
  std::unordered_map<std::uint64_t, client> clients;                ///< by open request
  std::set<caf::actor_addr> monitored;
  std::optional<instant> timer;
  queue_status status;
  device_paces paces;
};

/// Turns messages into calls of `scheduler_core` and its decisions into messages. `seed` is for the
/// jitter of retries.
scheduler_actor::behavior_type scheduler(scheduler_actor::stateful_pointer<scheduler_state> self,
                                         std::uint64_t seed, scheduler_options options);

} // namespace shoal
