#include "kernels/cpu/quantize.hpp"
#include "kernels/reference/quantize.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

/// y and, as scalars, its scale and zero point. Every output depends on the whole input.
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  return std::vector<tensor_type>{{dtype::u8, c.dims(0)}, {dtype::f32, {}}, {dtype::u8, {}}};
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {4.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

template <auto Choose, auto Quantize>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto count = c.dims(0).element_count();
  return function_kernel([count](const kernel_io& io) {
    float scale = 1;
    std::uint8_t zero = 0;
    Choose(io.inputs[0].as<float>(), count, scale, zero);
    Quantize(io.inputs[0], {&scale, dtype::f32, layout::plain, {}},
             {&zero, dtype::u8, layout::plain, {}}, io.outputs[0], scale_map{.inner = count});
    if (io.outputs.size() > 1 && io.outputs[1].data != nullptr) *io.outputs[1].as<float>() = scale;
    if (io.outputs.size() > 2 && io.outputs[2].data != nullptr)
      *io.outputs[2].as<std::uint8_t>() = zero;
  });
}

constexpr kernel_entry kernel_list[] = {
    {"cpu", prepare<kernels::choose_scale, kernels::quantize_linear>},
    {"reference", prepare<reference::choose_scale, reference::quantize_linear>}};

} // namespace

const operator_def dynamic_quantize_linear{
    .name = "DynamicQuantizeLinear",
    .first_opset = 11,
    .max_outputs = 3,
    .infer = infer,
    .cost = cost,
    .kernels = kernel_list,
};

} // namespace shoal::operators
