#include "runtime/plan/convolution_algorithm.hpp"

#include "runtime/operators/convolution_rules.hpp"

namespace shoal {

bool is_convolution(const graph_node& node) {
  return node.definition->name == "Conv" || node.definition->name == "FusedConv";
}

result<std::shared_ptr<const graph>>
with_algorithm(const graph& model, std::span<const std::size_t> nodes, const std::string& name) {
  graph_builder builder(model);
  for (const auto n : nodes) {
    auto& node = builder.nodes[n];
    // ONNX's own Conv has no attribute more than its schema says.
    SHOAL_TRY(node.definition, find_operator("FusedConv", "com.microsoft", 1, node.name));
    node.opset = 1;
    node.attrs.set(rules::algorithm_attribute, name);
  }
  SHOAL_TRY(auto changed, std::move(builder).build());
  return std::make_shared<const graph>(std::move(changed));
}

} // namespace shoal
