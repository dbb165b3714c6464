#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

/// Training mode and the mask are refused: Shoal only infers, where Dropout does nothing.
result<std::vector<tensor_type>> infer(const node_context& c) {
  if (c.node.outputs.size() > 1 && c.node.outputs[1] != no_value)
    return arguments::refuse(c, errc::unsupported, "the mask is not supported");
  if (c.has(2)) {
    const auto* training = c.inputs[2].constant;
    SHOAL_CHECK(arguments::expect_type(c, 2, {dtype::boolean}));
    if (training == nullptr || training->element_count() != 1 || training->values<bool>()[0])
      return arguments::refuse(c, errc::unsupported, "training mode is not supported");
  }
  return rules::same_as_input(c);
}

std::optional<interval> field(const node_context&, std::size_t input, int, interval wanted) {
  if (input != 0) return std::nullopt;
  return wanted;
}

} // namespace

const operator_def dropout{
    .name = "Dropout",
    .max_inputs = 3,
    .max_outputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = rules::split_like_input,
    .is_view = true,
};

} // namespace shoal::operators
