#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <memory>
#include <span>
#include <string>

namespace shoal {

/// Whether the node is a convolution, fused with what follows or not.
bool is_convolution(const graph_node& node);

/// The same graph with this algorithm (one of runtime/operators/convolution_rules.hpp) chosen for
/// the convolutions `nodes`.
result<std::shared_ptr<const graph>>
with_algorithm(const graph& model, std::span<const std::size_t> nodes, const std::string& name);

} // namespace shoal
