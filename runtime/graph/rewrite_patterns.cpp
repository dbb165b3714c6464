#include "runtime/graph/rewrite_patterns.hpp"

#include "runtime/operators/operator.hpp"

#include <cmath>

namespace shoal::rewrite_rules {

std::optional<float> scalar(const graph_editor& g, value_id id) {
  const auto* content = g.constant(id);
  if (content == nullptr || content->element_type() != dtype::f32 || content->dims().rank() != 0)
    return std::nullopt;
  return content->values<float>()[0];
}

bool is_scalar(const graph_editor& g, value_id id, float wanted) {
  const auto value = scalar(g, id);
  return value && std::fabs(*value - wanted) <= 2e-6f * std::fabs(wanted);
}

std::optional<std::size_t> private_node(const graph_editor& g, value_id id, std::size_t reader,
                                        std::string_view op) {
  const auto n = g.private_producer(id, reader);
  return n && g.is(*n, op) ? n : std::nullopt;
}

std::optional<value_id> beside(const graph_editor& g, std::size_t n, float wanted) {
  for (const std::size_t i : {0, 1})
    if (is_scalar(g, g.input(n, i), wanted) && g.input(n, 1 - i) != no_value)
      return g.input(n, 1 - i);
  return std::nullopt;
}

std::optional<graph_node> in_place_of(const graph_editor& g, std::size_t n, std::string_view op,
                                      std::string_view domain, std::vector<value_id> inputs) {
  const auto found = find_operator(op, domain, 1, g.node(n).name);
  if (!found) return std::nullopt;
  graph_node node;
  node.name = g.node(n).name;
  node.definition = *found;
  node.opset = 1;
  node.inputs = std::move(inputs);
  node.outputs = g.node(n).outputs;
  return node;
}

} // namespace shoal::rewrite_rules
