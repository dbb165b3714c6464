#include "runtime/operators/rules.hpp"

namespace shoal::rules {

result<std::vector<tensor_type>> same_as_input(const node_context& c) {
  return std::vector<tensor_type>{c.inputs[0].type};
}

std::optional<interval> pointwise_field(const node_context&, std::size_t, int, interval wanted) {
  return wanted;
}

std::optional<int> split_like_input(const node_context&, std::span<const int> split) {
  return split[0];
}

} // namespace shoal::rules
