#pragma once

#include "actors/request.hpp"
#include "runtime/aggregate/ensemble_round.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace shoal {

/// What one member of an ensemble is asked.
struct member_question {
  std::string model;
  std::vector<tensor> inputs;       ///< in the model's order
  std::vector<std::size_t> outputs; ///< which of the model's outputs those of the ensemble are
};

/// What it took until a member had answered, or failed; nothing of one that was late.
struct member_effort {
  std::uint64_t elapsed_us = 0;
  std::uint64_t attempts = 0; ///< parts sent, retries included
};

/// What came of a request to an ensemble.
struct ensemble_response {
  ensemble_answer answer;
  std::vector<member_effort> efforts; ///< per member, in the order of the rules
  std::uint64_t elapsed_us = 0;
};

/// A request of this process to an ensemble.
struct ensemble_request {
  std::uint64_t id = 0; ///< those of the members' requests follow: id + 1, id + 2, …
  std::string ensemble; ///< its name, for errors
  std::shared_ptr<const ensemble_rules> rules;
  std::vector<member_question> members; ///< in the order of the rules
  std::uint32_t parts = 1;              ///< of every member's request
  std::int32_t priority = 0;
  instant started;
  instant deadline; ///< when it is decided with those that have answered
  /// Called exactly once, on a thread of the actor system: be quick.
  std::function<void(result<ensemble_response>)> answer;
};

/// What came of the request to one member.
struct member_reply {
  std::uint64_t ensemble = 0; ///< the request's id
  std::size_t member = 0;
  result<response> outcome;
};

} // namespace shoal
