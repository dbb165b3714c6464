#include "runtime/graph/subgraph.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

std::vector<value_id> live_values(const graph& model, std::size_t cut) {
  const auto nodes = model.nodes();
  if (cut == 0) return {model.inputs().begin(), model.inputs().end()};
  if (cut >= nodes.size()) return {model.outputs().begin(), model.outputs().end()};
  std::vector<bool> wanted(model.values().size(), false);
  for (const auto& node : nodes.subspan(cut))
    for (const auto id : node.inputs)
      if (id != no_value) wanted[id] = true;
  for (const auto id : model.outputs()) wanted[id] = true;
  std::vector<value_id> live;
  const auto take = [&](value_id id) {
    if (id != no_value && wanted[id]) live.push_back(id);
  };
  for (const auto id : model.inputs()) take(id);
  for (const auto& node : nodes.first(cut))
    for (const auto id : node.outputs) take(id);
  return live;
}

result<graph> extract_stage(const graph& model, std::size_t first, std::size_t last) {
  if (first >= last || last > model.nodes().size())
    return fail(errc::invalid_argument, "nodes {} to {} are no stage of a graph of {} nodes", first,
                last, model.nodes().size());
  graph_builder stage(model);
  stage.nodes.assign(model.nodes().begin() + static_cast<std::ptrdiff_t>(first),
                     model.nodes().begin() + static_cast<std::ptrdiff_t>(last));
  stage.inputs = live_values(model, first);
  stage.outputs = live_values(model, last);
  return std::move(stage).build();
}

} // namespace shoal
