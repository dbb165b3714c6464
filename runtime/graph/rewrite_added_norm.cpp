#include "runtime/graph/rewrite_patterns.hpp"
#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/operators/operator.hpp"

namespace shoal::rewrite_rules {
namespace {

/// Whether `id` is a constant row of float32; rows of one element could be repeated.
bool is_row(const graph_editor& g, value_id id, const shape& dims) {
  const auto* content = g.constant(id);
  return content != nullptr && content->element_type() == dtype::f32 && content->dims() == dims;
}

/// A normalisation of the last axis alone whose result is all that is wanted of it.
bool normalises_rows(const graph_editor& g, std::size_t n) {
  const auto& node = g.node(n);
  const bool known = g.alive(n) && node.definition->name == "LayerNormalization" &&
                     (node.definition->domain.empty() || node.definition->domain == "shoal");
  if (!known || node.attrs.get_int("axis", -1) != -1) return false;
  for (std::size_t i = 1; i < node.outputs.size(); ++i)
    if (g.is_needed(node.outputs[i])) return false;
  const auto* scale = g.constant(g.input(n, 1));
  if (scale == nullptr || scale->dims().rank() != 1 || scale->element_count() < 2) return false;
  const auto shift = g.input(n, 2);
  return is_row(g, g.input(n, 1), scale->dims()) &&
         (shift == no_value || is_row(g, shift, scale->dims()));
}

} // namespace

void fuse_added_norm(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!normalises_rows(g, n)) continue;
    const auto sum = g.input(n, 0);
    const auto add = g.producer(sum);
    if (!add || !g.is(*add, "Add") || g.node(*add).opset < 7) continue;
    auto node = in_place_of(g, n, "AddLayerNormalization", "shoal",
                            {g.input(*add, 0), g.input(*add, 1), g.input(n, 1)});
    if (!node) continue;
    if (g.input(n, 2) != no_value) node->inputs.push_back(g.input(n, 2));
    node->name = g.node(*add).name;
    node->attrs.set("epsilon", g.node(n).attrs.get_float("epsilon", 1e-5f));
    node->outputs.resize(1);
    if (!g.private_producer(sum, n)) node->outputs.push_back(sum);
    g.remove(*add);
    g.replace(n, *std::move(node));
  }
}

} // namespace shoal::rewrite_rules
