#pragma once

#include "runtime/session/binding.hpp"
#include "runtime/session/session.hpp"

#include <memory>

namespace shoal {

/// A session for a graph some of whose shapes depend on values: what is known ahead is compiled as
/// one session, then each node is run by itself that its values hold up no longer, and what is left
/// is a graph of its own, compiled when its input types are seen, and kept for the next time.
/// `bound` has open nodes.
result<std::unique_ptr<session>> make_stepwise_session(const bound_graph& bound,
                                                       std::shared_ptr<weight_cache> weights,
                                                       const session_options& options);

} // namespace shoal
