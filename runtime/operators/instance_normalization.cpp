#include "kernels/cpu/normalization.hpp"
#include "kernels/reference/normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

using arguments::refuse;

float epsilon_of(const node_context& c) {
  return c.attrs().get_float("epsilon", 1e-5f);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  const auto& x = c.dims(0);
  if (x.rank() < 3)
    return refuse(c, errc::invalid_argument, "input: expected [N,C,spatial...], got {}",
                  to_string(x));
  for (const std::size_t i : {1, 2}) {
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    if (c.dims(i) != shape{x[1]})
      return refuse(c, errc::invalid_argument, "{}: expected [{}], got {}", i == 1 ? "scale" : "B",
                    x[1], to_string(c.dims(i)));
  }
  return arguments::one_output(c.type(0), x);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  // Sum; difference, square and sum; difference, product and sum.
  return {7.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis > 1) return std::nullopt;
  return wanted;
}

result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  return kernels::make_instance_normalization(static_cast<double>(epsilon_of(c)));
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return function_kernel([epsilon = epsilon_of(c)](const kernel_io& io) {
    reference::instance_normalization(io.inputs[0], io.inputs[1], io.inputs[2], io.outputs[0],
                                      static_cast<double>(epsilon));
  });
}

constexpr kernel_entry instance_normalization_kernels[] = {{"cpu", prepare_cpu},
                                                           {"reference", prepare_reference}};

} // namespace

const operator_def instance_normalization{
    .name = "InstanceNormalization",
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = rules::split_batch,
    .kernels = instance_normalization_kernels,
};

} // namespace shoal::operators
