#include "kernels/reference/cast.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/onnx_dtype.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

result<void> check(const graph_node& node) {
  const auto to = node.attrs.get_int("to", 0);
  if (dtype_of_onnx(to)) return {};
  return node_error(node, errc::unsupported, fmt::format("element type {} is not supported", to));
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(check(c.node));
  return arguments::one_output(*dtype_of_onnx(c.attrs().get_int("to", 0)), c.dims(0));
}

/// CastLike: the type is that of the second input, whose elements do not matter.
result<std::vector<tensor_type>> infer_like(const node_context& c) {
  return arguments::one_output(c.type(1), c.dims(0));
}

std::optional<interval> field_like(const node_context&, std::size_t input, int, interval wanted) {
  if (input != 0) return std::nullopt;
  return wanted;
}

std::optional<int> split_like(const node_context&, std::span<const int> split) {
  if (split[0] == unsplit) return std::nullopt;
  return split[0];
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  kernel_traits traits;
  if (c.inputs.size() == 1) traits = rules::broadcast_layouts(c);
  return function_kernel([](const kernel_io& io) { reference::cast(io.inputs[0], io.outputs[0]); },
                         std::move(traits));
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def cast{
    .name = "Cast",
    .first_opset = 6,
    .check = check,
    .infer = infer,
    .receptive_field = rules::pointwise_field,
    .split_axis = rules::split_like_input,
    .kernels = kernels,
};

const operator_def cast_like{
    .name = "CastLike",
    .first_opset = 15,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer_like,
    .receptive_field = field_like,
    .split_axis = split_like,
    .kernels = kernels,
};

} // namespace shoal::operators
