#include "runtime/operators/rules.hpp"

#include <algorithm>

namespace shoal::rules {

result<std::vector<tensor_type>> same_as_input(const node_context& c) {
  return std::vector<tensor_type>{c.inputs[0].type};
}

std::optional<interval> pointwise_field(const node_context&, std::size_t, int, interval wanted) {
  return wanted;
}

bool others_are_whole(std::span<const int> split) {
  return std::ranges::all_of(split.subspan(1), [](int axis) { return axis == unsplit; });
}

std::optional<int> split_like_input(const node_context&, std::span<const int> split) {
  if (!others_are_whole(split)) return std::nullopt;
  return split[0];
}

} // namespace shoal::rules
