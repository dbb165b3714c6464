#pragma once

#include "actors/interfaces.hpp"
#include "actors/messages.hpp"
#include "runtime/schedule/membership_table.hpp"

#include <functional>
#include <map>
#include <optional>

namespace shoal {

/// Something happened to a node: for the log. Called from a thread of the actors.
using member_observer = std::function<void(membership_change change, const node_offer& node)>;

struct membership_state {
  static inline const char* name = "membership";

  struct member {
    node_offer offer;
    node_agent_actor agent;
    node_load load;
    instant heard;
  };
  std::optional<membership_table> table;
  std::map<incarnation, member> members;
};

/// Turns messages into calls of `membership_table` and its events into news for scheduler and
/// deployer, in that order of importance: the scheduler hears first.
membership_actor::behavior_type
membership(membership_actor::stateful_pointer<membership_state> self, membership_options options,
           scheduler_actor scheduler, deployer_actor deployer, member_observer observer);

} // namespace shoal
