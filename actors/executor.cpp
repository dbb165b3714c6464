#include "actors/executor.hpp"

#include "actors/messages.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {

executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state>,
                                       std::shared_ptr<device_thread> device) {
  return {[device](run_atom, part_ptr& p) { device->post(std::move(p)); }};
}

} // namespace shoal
