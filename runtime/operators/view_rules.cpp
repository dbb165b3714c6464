#include "runtime/operators/view_rules.hpp"

namespace shoal::rules {

std::optional<int> same_axis(const shape& before, const shape& after, int axis) {
  const auto rows = before.element_count(0, axis);
  for (int candidate = 0; candidate < after.rank(); ++candidate)
    if (after[candidate] == before[axis] && after.element_count(0, candidate) == rows)
      return candidate;
  return std::nullopt;
}

std::optional<interval> view_field(const node_context& c, std::size_t input, int axis,
                                   interval wanted) {
  const auto types = c.node.definition->infer(c);
  if (input != 0 || !types || axis >= c.dims(0).rank()) return std::nullopt;
  if (same_axis(c.dims(0), (*types)[0].dims, axis) != axis) return std::nullopt;
  return wanted;
}

std::optional<int> view_split(const node_context& c, std::span<const int> split) {
  const auto types = c.node.definition->infer(c);
  if (!types || split[0] == unsplit) return std::nullopt;
  return same_axis(c.dims(0), (*types)[0].dims, split[0]);
}

} // namespace shoal::rules
