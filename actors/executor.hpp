#pragma once

#include "actors/device_thread.hpp"
#include "actors/interfaces.hpp"

#include <memory>

namespace shoal {

struct executor_state {
  static inline const char* name = "executor";
};

/// Owns one device: what it is told to run goes to the device's thread in order of arrival.
executor_actor::behavior_type executor(executor_actor::stateful_pointer<executor_state> self,
                                       std::shared_ptr<device_thread> device);

} // namespace shoal
