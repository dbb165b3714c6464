#pragma once

#include "runtime/graph/rewrite_editor.hpp"

#include <optional>
#include <span>
#include <string_view>
#include <utility>

/// What rules that recognise formulas ask of a graph.
namespace shoal::rewrite_rules {

/// The content of a float32 constant without axes: with any, it could add axes to a result.
std::optional<float> scalar(const graph_editor& g, value_id id);
/// Whether `id` is such a constant, equal to `wanted` but for the rounding of exporters.
bool is_scalar(const graph_editor& g, value_id id, float wanted);

/// The node `op` of ai.onnx that writes `id` for `reader` alone, as
/// `graph_editor::private_producer`.
std::optional<std::size_t> private_node(const graph_editor& g, value_id id, std::size_t reader,
                                        std::string_view op);

/// The operand of the binary node `n` beside a scalar equal to `wanted`, in any order.
std::optional<value_id> beside(const graph_editor& g, std::size_t n, float wanted);

/// A node of that operator in the place of node `n`, whose name and outputs it keeps; nothing if
/// this build does not know the operator.
std::optional<graph_node> in_place_of(const graph_editor& g, std::size_t n, std::string_view op,
                                      std::string_view domain, std::vector<value_id> inputs);

} // namespace shoal::rewrite_rules
