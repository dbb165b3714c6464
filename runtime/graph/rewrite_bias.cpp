#include "runtime/graph/rewrite_patterns.hpp"
#include "runtime/graph/rewrite_rules.hpp"

namespace shoal::rewrite_rules {
namespace {

/// The constant of rank `rank` that is input `i` of node `n`.
const tensor* float_constant(const graph_editor& g, std::size_t n, std::size_t i, int rank) {
  const auto* content = g.constant(g.input(n, i));
  return content != nullptr && content->element_type() == dtype::f32 &&
                 content->dims().rank() == rank
             ? content
             : nullptr;
}

} // namespace

void fuse_bias(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    for (const std::size_t i : {0, 1}) {
      if (!g.is(n, "Add")) break;
      const auto* bias = float_constant(g, n, i, 1);
      const auto product = private_node(g, g.input(n, 1 - i), n, "MatMul");
      const auto* weights = product ? float_constant(g, *product, 1, 2) : nullptr;
      if (bias == nullptr || weights == nullptr || bias->dims()[0] != weights->dims()[1]) continue;
      auto node = in_place_of(g, n, "BiasedMatMul", "shoal",
                              {g.input(*product, 0), g.input(*product, 1), g.input(n, i)});
      if (!node) continue;
      node->name = g.node(*product).name;
      g.remove(*product);
      g.replace(n, *std::move(node));
    }
  }
}

} // namespace shoal::rewrite_rules
