#include "runtime/plan/graph_use.hpp"

#include "runtime/plan/check_memory.hpp"

#include <algorithm>

namespace shoal {

graph_use use_of(const bound_graph& bound) {
  const auto& model = *bound.model;
  std::vector<int> readers(model.values().size(), 0);
  const auto is_alive = [&](value_id id) {
    return id != no_value && bound.value(id).present && bound.value(id).constant == nullptr;
  };
  for (std::size_t n = 0; n < model.nodes().size(); ++n)
    if (!bound.folded[n])
      for (const auto id : model.nodes()[n].inputs)
        if (is_alive(id)) ++readers[id];
  for (const auto id : model.outputs())
    if (is_alive(id)) ++readers[id]; // until the end

  graph_use use;
  std::uint64_t alive = 0;
  for (const auto id : model.inputs())
    if (is_alive(id)) alive += bytes_of_type(bound.value(id).type);
  use.peak_bytes = alive;
  for (std::size_t n = 0; n < model.nodes().size(); ++n) {
    if (bound.folded[n]) continue;
    const auto& node = model.nodes()[n];
    const auto outputs = bound.output_types_of(n);
    const auto operands = bound.operands_of(n);
    for (const auto& type : outputs) alive += node.definition->is_view ? 0 : bytes_of_type(type);
    use.peak_bytes = std::max(use.peak_bytes, alive);
    if (node.definition->cost != nullptr)
      use.flops += node.definition->cost({node, operands}, outputs).flops;
    else
      for (const auto& type : outputs) use.flops += static_cast<double>(type.dims.element_count());
    for (const auto id : node.inputs)
      if (is_alive(id) && --readers[id] == 0)
        alive -= std::min(alive, bytes_of_type(bound.value(id).type));
  }
  return use;
}

} // namespace shoal
