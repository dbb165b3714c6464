#include "kernels/broadcast.hpp"
#include "kernels/cpu/binary.hpp"
#include "kernels/cpu/unary.hpp"
#include "kernels/reference/binary.hpp"
#include "kernels/reference/unary.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// BiasGelu of com.microsoft: GELU of the input plus a bias along the last axis.
namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  const auto& x = c.dims(0);
  if (x.rank() < 1 || c.dims(1) != shape{x[x.rank() - 1]})
    return arguments::refuse(c, errc::invalid_argument, "bias {} does not fit the last axis of {}",
                             to_string(c.dims(1)), to_string(x));
  return arguments::one_output(dtype::f32, x);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {20.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[1] != unsplit || split[0] == c.dims(0).rank() - 1) return std::nullopt;
  return split[0];
}

template <auto Add, auto Gelu>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const shape operands[] = {c.dims(0), c.dims(1)};
  const auto nest = broadcast_nest(operands, c.dims(0), layout::plain);
  return function_kernel(
      [nest](const kernel_io& io) {
        const auto& y = io.outputs[0];
        Add(binary_function::add, dtype::f32, nest, io.inputs[0].data, io.inputs[1].data, y.data);
        Gelu(y);
      },
      {.overwritable = 0});
}

void fast_gelu_of(const view& y) {
  auto* values = y.as<float>();
  kernels::unary(unary_function::gelu, {}, values, values, y.dims.element_count());
}

void plain_gelu_of(const view& y) {
  reference::unary(unary_function::gelu, {}, y, y);
}

constexpr kernel_entry kernel_list[] = {{"cpu", prepare<kernels::binary, fast_gelu_of>},
                                        {"reference", prepare<reference::binary, plain_gelu_of>}};

} // namespace

const operator_def bias_gelu{
    .name = "BiasGelu",
    .domain = "com.microsoft",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .cost = cost,
    .input_axis = rules::broadcast_axis,
    .receptive_field = rules::broadcast_field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
