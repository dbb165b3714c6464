#pragma once

#include "actors/messages.hpp"
#include "runtime/base/result.hpp"
#include "runtime/schedule/instant.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace shoal {

/// What came of a request.
struct response {
  std::vector<tensor> outputs;                ///< in the model's order
  std::vector<std::vector<stage_time>> trace; ///< per part, per stage
  std::uint64_t attempts = 0;                 ///< parts sent, retries included
  std::uint64_t elapsed_us = 0;               ///< from the call to the answer
};

/// A request of this process, from the call to its one answer.
struct request {
  std::uint64_t id = 0; ///< unique in the cluster: see `request_ids`
  std::string model;
  std::vector<tensor> inputs; ///< in the model's order
  std::uint32_t parts = 1;
  std::int32_t priority = 0;
  instant started;
  instant deadline;
  /// Called exactly once, on a thread of the actor system: be quick.
  std::function<void(result<response>)> answer;
};

} // namespace shoal
