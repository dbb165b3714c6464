#pragma once

#include "actors/interfaces.hpp"
#include "actors/messages.hpp"

namespace shoal {

struct front_desk_state {
  static inline const char* name = "front_desk";
};

/// Lets in who speaks our version, and tells them whom to talk to.
front_desk_actor::behavior_type
front_desk(front_desk_actor::stateful_pointer<front_desk_state> self, cluster_doors doors);

} // namespace shoal
