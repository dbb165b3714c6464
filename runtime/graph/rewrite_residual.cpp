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

/// What a convolution reads for an element of one of its outputs' channels: input channels times
/// strides. Nothing where that is not known.
std::optional<double> elements_read(const graph_editor& g, std::size_t conv) {
  const auto* weights = g.constant(g.input(conv, 1));
  if (weights == nullptr || weights->dims().rank() < 3) return std::nullopt;
  const auto& attrs = g.node(conv).attrs;
  auto elements = static_cast<double>(weights->dims()[1]);
  elements *= static_cast<double>(attrs.get_int("group", 1));
  for (const auto stride : attrs.get_ints("strides")) elements *= static_cast<double>(stride);
  return elements;
}

/// Which of the two summands takes the sum in. The other runs before it, early if need be, and its
/// output waits instead of its input: that is less where it reads more, as the short cut of a block
/// that halves the image does. Else the later one, which waits for the earlier anyway.
std::size_t better_operand(const graph_editor& g, std::size_t add) {
  const auto first = g.producer(g.input(add, 0)), second = g.producer(g.input(add, 1));
  if (first && second && g.is(*first, "Conv") && g.is(*second, "Conv")) {
    const auto a = elements_read(g, *first), b = elements_read(g, *second);
    if (a && b && *a != *b) return *a < *b ? 0 : 1;
  }
  return second > first ? 1 : 0;
}

} // namespace

result<void> fuse_residual(graph_editor& g) {
  const symbolic_shapes shapes(g); // values keep their shape when what computes them is fused
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.is(n, "Add") || g.node(n).inputs.size() != 2) continue;
    const auto better = better_operand(g, n);
    if (!fuse_operand(g, shapes, n, better)) fuse_operand(g, shapes, n, 1 - better);
  }
  return {};
}

} // namespace shoal::rewrite_rules
