#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/tensor/tensor_proto.hpp"

namespace shoal::rewrite_rules {
namespace {

/// Dropout scales and drops only while training; its mask is then all ones, if anyone asked for it.
bool is_inactive_dropout(const graph_editor& g, std::size_t n) {
  const auto& node = g.node(n);
  if (node.outputs.size() > 1 && g.is_needed(node.outputs[1])) return false;
  if (node.opset < 12) return true;
  const auto training = g.input(n, 2);
  if (training == no_value) return true;
  const auto* content = g.constant(training);
  return content != nullptr && content->element_type() == dtype::boolean &&
         content->element_count() == 1 && !content->values<bool>()[0];
}

bool is_idle_cast(const graph_editor& g, std::size_t n) {
  const auto target = dtype_from_onnx(static_cast<int>(g.node(n).attrs.get_int("to", 0)));
  return target && g.element_type(g.input(n, 0)) == *target;
}

bool keeps_order(const graph_node& transpose) {
  const auto perm = transpose.attrs.get_ints("perm");
  if (perm.empty()) return false; // reverses
  for (std::size_t i = 0; i < perm.size(); ++i)
    if (perm[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

bool passes_input_0(const graph_editor& g, std::size_t n) {
  if (g.is(n, "Identity")) return true;
  if (g.is(n, "Dropout")) return is_inactive_dropout(g, n);
  if (g.is(n, "Cast")) return is_idle_cast(g, n);
  if (g.is(n, "Concat")) return g.node(n).inputs.size() == 1;
  if (g.is(n, "Transpose")) return keeps_order(g.node(n));
  return false;
}

} // namespace

void remove_identities(graph_editor& g) {
  for (std::size_t n = 0; n < g.node_count(); ++n)
    if (passes_input_0(g, n)) g.bypass(n, 0);
}

} // namespace shoal::rewrite_rules
