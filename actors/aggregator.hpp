#pragma once

#include "actors/interfaces.hpp"
#include "actors/request.hpp"

#include <optional>
#include <set>
#include <unordered_map>

namespace shoal {

struct aggregator_state {
  static inline const char* name = "aggregator";

  struct collection {
    request_ptr what;
    std::vector<std::vector<tensor>> outputs; ///< per part; empty while it is out
    std::vector<bool> arrived;
    std::uint32_t missing = 0;
    response answer;
  };
  std::unordered_map<std::uint64_t, collection> open;
  std::set<std::pair<instant, std::uint64_t>> deadlines; ///< of all open requests
  std::optional<instant> timer;                          ///< when the pending tick fires
  splitter_actor splitter;                               ///< set by its first `expect`
};

/// Collects parts; joins them in the order of their numbers, whatever order they arrive in; answers
/// each request exactly once, by its deadline at the latest. The first valid result of a part wins,
/// others are dropped. Reports every attempt to `scheduler`, which decides on retries.
aggregator_actor::behavior_type
aggregator(aggregator_actor::stateful_pointer<aggregator_state> self, scheduler_actor scheduler);

} // namespace shoal
