#include "actors/front_desk.hpp"

#include "actors/caf_error.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/net/hello.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {

front_desk_actor::behavior_type front_desk(front_desk_actor::stateful_pointer<front_desk_state>,
                                           cluster_doors doors) {
  return {[doors](enter_atom, const entry_ticket& ticket) -> caf::result<cluster_doors> {
    if (ticket.version != software_version())
      return to_caf(fail(errc::version_mismatch, "this head runs {}, the {} that knocked runs {}",
                         software_version(), ticket.role, ticket.version));
    return doors;
  }};
}

} // namespace shoal
