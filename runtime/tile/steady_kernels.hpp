#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <memory>

namespace shoal {

/// `model`, which `rewrite_for_cpu` has made, with those of its kernels chosen that give the same
/// bits for an element whatever the extents of the image around it: what tiles need to be bit for
/// bit the whole. Some percent slower than the fastest kernels.
result<std::shared_ptr<const graph>> with_steady_kernels(std::shared_ptr<const graph> model);

/// Whether there is such a kernel for the node on this processor.
bool can_be_steady(const graph_node& node);

} // namespace shoal
