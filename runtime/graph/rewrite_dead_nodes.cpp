#include "runtime/graph/rewrite_rules.hpp"

#include <algorithm>

namespace shoal::rewrite_rules {

void remove_dead_nodes(graph_editor& g) {
  const auto is_dead = [&](std::size_t n) {
    const auto& outputs = g.node(n).outputs;
    return g.alive(n) &&
           std::none_of(outputs.begin(), outputs.end(), [&](auto id) { return g.is_needed(id); });
  };
  std::vector<std::size_t> dead;
  for (std::size_t n = 0; n < g.node_count(); ++n)
    if (is_dead(n)) dead.push_back(n);
  while (!dead.empty()) {
    const auto n = dead.back();
    dead.pop_back();
    if (!g.alive(n)) continue;
    g.remove(n);
    for (const auto id : g.node(n).inputs)
      if (const auto maker = g.producer(id); maker && is_dead(*maker)) dead.push_back(*maker);
  }
}

} // namespace shoal::rewrite_rules
