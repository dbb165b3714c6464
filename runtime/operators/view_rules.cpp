#include "runtime/operators/view_rules.hpp"

#include "runtime/operators/rules.hpp"

namespace shoal::rules {

std::optional<int> same_axis(const shape& before, const shape& after, int axis) {
  const auto rows = before.element_count(0, axis);
  for (int candidate = 0; candidate < after.rank(); ++candidate)
    if (after[candidate] == before[axis] && after.element_count(0, candidate) == rows)
      return candidate;
  return std::nullopt;
}

std::optional<int> view_axis(const node_context& c, std::size_t input, int axis) {
  const auto types = c.node.definition->infer(c);
  if (input != 0 || !types) return std::nullopt;
  for (int own = 0; own < c.dims(0).rank(); ++own)
    if (same_axis(c.dims(0), (*types)[0].dims, own) == axis) return own;
  return std::nullopt;
}

std::optional<interval> view_field(const node_context& c, std::size_t input, int axis,
                                   interval wanted) {
  if (!view_axis(c, input, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> view_split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto types = c.node.definition->infer(c);
  if (!types || split[0] == unsplit) return std::nullopt;
  return same_axis(c.dims(0), (*types)[0].dims, split[0]);
}

} // namespace shoal::rules
