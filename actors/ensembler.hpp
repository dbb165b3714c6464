#pragma once

#include "actors/ensemble_request.hpp"
#include "actors/interfaces.hpp"

#include <optional>
#include <set>
#include <unordered_map>

namespace shoal {

struct ensembler_state {
  static inline const char* name = "ensembler";

  struct open_request {
    ensemble_request_ptr what;
    ensemble_round round;
    std::vector<bool> replied; ///< per member
    std::vector<member_effort> efforts;
  };
  std::unordered_map<std::uint64_t, open_request> open;
  std::set<std::pair<instant, std::uint64_t>> deadlines; ///< of all open requests
  std::optional<instant> timer;                          ///< when the pending tick fires
};

/// Sends every member of an ensemble a request of its own through `splitter`, and lets an
/// `ensemble_round` decide on the answers: by the deadline at the latest, whatever becomes of the
/// members. Those that nobody waits for any more are cancelled.
///
/// Combining happens in the actor's own thread, like the joining of a batch: it is a pass or a few
/// over the outputs. A graph that combines runs there, too, and should be small.
ensembler_actor::behavior_type ensembler(ensembler_actor::stateful_pointer<ensembler_state> self,
                                         splitter_actor splitter);

} // namespace shoal
