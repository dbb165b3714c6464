#pragma once

#include "actors/messages.hpp"
#include "runtime/graph/graph.hpp"

#include <span>
#include <vector>

namespace shoal {

/// How a graph declares its inputs or outputs (`ids`).
std::vector<value_spec> describe_values(const graph& model, std::span<const value_id> ids);

/// Names from the graph, types as bound.
std::vector<value_spec> describe_values(const graph& model, std::span<const value_id> ids,
                                        std::span<const tensor_type> types);

/// Types without open extents; `malformed` when one breaks the rules for shapes.
result<std::vector<tensor_type>> types_of(std::span<const value_spec> values);

/// The declared input types of `model` with open extents filled in: 1 for the outermost axis, 224
/// for the others. For when nobody said what is usual.
std::vector<value_spec> example_inputs(const graph& model);

} // namespace shoal
