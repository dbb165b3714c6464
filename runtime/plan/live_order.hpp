#pragma once

#include "runtime/base/result.hpp"
#include "runtime/session/binding.hpp"

namespace shoal {

/// The same graph with its nodes in an order, where one can be found, in which less is alive
/// between them: less crosses wherever it is cut. Greedy: of the nodes that could be next, the one
/// after which the fewest bytes are alive, the first of them as the graph has them; the graph's own
/// order stays unless the sum over all cuts is smaller. A residual block with a short cut of its
/// own gets rid of its input early, for instance. What the graph computes stays the same bit for
/// bit.
result<std::shared_ptr<const graph>> order_by_live_bytes(const bound_graph& bound);

} // namespace shoal
