#include "kernels/reference/normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: X [N,C,...], scale and bias, [number of groups] before opset 21 and [C] since.

namespace shoal::operators {
namespace {

using arguments::refuse;

std::int64_t groups_of(const node_context& c) {
  return c.attrs().get_int("num_groups", 0);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  const auto& x = c.dims(0);
  const auto groups = groups_of(c);
  if (x.rank() < 3 || groups < 1 || x[1] % groups != 0)
    return refuse(c, errc::invalid_argument, "X: expected [N,C,...] with C in {} groups, got {}",
                  groups, to_string(x));
  const auto coefficients = c.node.opset < 21 ? groups : x[1];
  for (const std::size_t i : {1, 2}) {
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    if (c.dims(i) != shape{coefficients})
      return refuse(c, errc::invalid_argument, "{}: expected [{}], got {}",
                    i == 1 ? "scale" : "bias", coefficients, to_string(c.dims(i)));
  }
  return rules::same_as_input(c);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  // Sum; difference, square and sum; difference, two products and a sum.
  return {8.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis > 0) return std::nullopt;
  return wanted;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto epsilon = static_cast<double>(c.attrs().get_float("epsilon", 1e-5f));
  return function_kernel([epsilon, groups = groups_of(c)](const kernel_io& io) {
    reference::group_normalization(io.inputs[0], io.inputs[1], io.inputs[2], io.outputs[0], groups,
                                   epsilon);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def group_normalization{
    .name = "GroupNormalization",
    .first_opset = 18,
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = rules::split_batch,
    .kernels = kernels,
};

} // namespace shoal::operators
