#pragma once

#include "actors/interfaces.hpp"
#include "actors/post_office.hpp"
#include "actors/request.hpp"

#include <unordered_map>

namespace shoal {

struct splitter_state {
  static inline const char* name = "splitter";

  /// The only copy that a retry needs.
  struct open_request {
    request_ptr what;
    std::vector<std::vector<tensor>> parts; ///< inputs, per part
  };
  std::unordered_map<std::uint64_t, open_request> open;
  bool scheduler_lost = false;
  mailbox results; ///< the aggregator's
};

/// Sends parts of requests where `scheduler` says, with results to `collector`. When the scheduler
/// is lost, open requests fail with `unavailable`.
splitter_actor::behavior_type splitter(splitter_actor::stateful_pointer<splitter_state> self,
                                       scheduler_actor scheduler, aggregator_actor collector,
                                       mailbox results, std::shared_ptr<post_office> office);

} // namespace shoal
