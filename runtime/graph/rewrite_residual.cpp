#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/graph/symbolic_shapes.hpp"
#include "runtime/operators/operator.hpp"

namespace shoal::rewrite_rules {
namespace {

constexpr std::size_t residual_input = 3; ///< Z of FusedConv

/// Whether the sum of both cannot broadcast.
bool same_shape(const graph_editor& g, const symbolic_shapes& shapes, value_id a, value_id b) {
  const auto left = g.type(a), right = g.type(b);
  return left && right ? *left == *right : shapes.same(a, b);
}

bool fuse_operand(graph_editor& g, const symbolic_shapes& shapes, std::size_t add,
                  std::size_t which) {
  const auto sum = g.input(add, which), other = g.input(add, 1 - which);
  const auto conv = g.private_producer(sum, add);
  auto fused = conv ? as_open_fused_conv(g, *conv) : std::nullopt;
  if (!fused || g.input(*conv, residual_input) != no_value) return false;
  if (!same_shape(g, shapes, sum, other)) return false;
  fused->inputs.resize(residual_input + 1, no_value);
  fused->inputs[residual_input] = other;
  fused->outputs = g.node(add).outputs;
  g.remove(*conv);
  g.replace(add, *std::move(fused));
  return true;
}

} // namespace

result<void> fuse_residual(graph_editor& g) {
  const symbolic_shapes shapes(g); // values keep their shape when what computes them is fused
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.is(n, "Add") || g.node(n).inputs.size() != 2) continue;
    // The later convolution waits for the earlier one anyway.
    const auto first = g.producer(g.input(n, 0)), second = g.producer(g.input(n, 1));
    const std::size_t later = second > first ? 1 : 0;
    if (!fuse_operand(g, shapes, n, later)) fuse_operand(g, shapes, n, 1 - later);
  }
  return {};
}

} // namespace shoal::rewrite_rules
