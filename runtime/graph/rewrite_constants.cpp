#include "runtime/graph/rewrite_rules.hpp"
#include "runtime/operators/operator.hpp"

namespace shoal::rewrite_rules {
namespace {

/// The inputs of a node that are all constant; nothing if one is not.
std::optional<std::vector<operand>> constant_operands(const graph_editor& g,
                                                      const graph_node& node) {
  std::vector<operand> operands;
  for (const auto id : node.inputs) {
    const auto* content = g.constant(id);
    if (content == nullptr && id != no_value) return std::nullopt;
    operands.push_back(content == nullptr ? operand{} : operand{content->type(), content, true});
  }
  return operands;
}

/// Whether shape inference says that the outputs stay below the cap, before any is made.
bool fits(const graph_node& node, std::span<const operand> inputs, std::uint64_t cap) {
  if (node.definition->infer == nullptr) return false;
  const auto types = node.definition->infer({node, inputs});
  if (!types || types->size() < node.outputs.size()) return false;
  std::uint64_t bytes = 0;
  for (const auto& type : *types) {
    const auto count = checked_element_count(type.dims.span());
    if (!count) return false;
    bytes += static_cast<std::uint64_t>(*count) * size_of(type.type);
    if (bytes > cap) return false;
  }
  return true;
}

} // namespace

result<void> fold_constants(graph_editor& g, const rewrite_options& options) {
  for (std::size_t n = 0; n < g.node_count(); ++n) {
    if (!g.alive(n)) continue;
    const auto operands = constant_operands(g, g.node(n));
    if (!operands || !fits(g.node(n), *operands, options.max_folded_bytes)) continue;
    std::vector<const tensor*> contents;
    for (const auto& o : *operands) contents.push_back(o.constant);
    auto made = options.evaluate(g.node(n), contents);
    if (!made) {
      // What no kernel does is an error only if the session needs it.
      if (made.error().code() == errc::resource_exhausted) return std::move(made).error();
      continue;
    }
    const auto outputs = g.node(n).outputs;
    if (made->size() < outputs.size()) continue;
    g.remove(n);
    for (std::size_t o = 0; o < outputs.size(); ++o)
      if (outputs[o] != no_value) g.make_constant(outputs[o], std::move((*made)[o]));
  }
  return {};
}

} // namespace shoal::rewrite_rules
