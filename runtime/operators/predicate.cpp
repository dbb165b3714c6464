#include "kernels/reference/predicate.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer_question(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  return arguments::one_output(dtype::boolean, c.dims(0));
}

result<std::vector<tensor_type>> infer_not(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::boolean}));
  return rules::same_as_input(c);
}

result<std::unique_ptr<kernel>> prepare_is_nan(const prepare_context&) {
  return function_kernel(
      [](const kernel_io& io) { reference::is_nan(io.inputs[0], io.outputs[0].as<bool>()); });
}

result<std::unique_ptr<kernel>> prepare_is_infinite(const prepare_context& c) {
  const bool negative = c.attrs().get_int("detect_negative", 1) != 0;
  const bool positive = c.attrs().get_int("detect_positive", 1) != 0;
  return function_kernel([=](const kernel_io& io) {
    reference::is_infinite(io.inputs[0], negative, positive, io.outputs[0].as<bool>());
  });
}

result<std::unique_ptr<kernel>> prepare_not(const prepare_context&) {
  return function_kernel(
      [](const kernel_io& io) {
        reference::logical_not(io.inputs[0].as<bool>(), io.inputs[0].element_count(),
                               io.outputs[0].as<bool>());
      },
      {.overwritable = 0});
}

constexpr kernel_entry is_nan_kernels[] = {{"reference", prepare_is_nan}};
constexpr kernel_entry is_infinite_kernels[] = {{"reference", prepare_is_infinite}};
constexpr kernel_entry not_kernels[] = {{"reference", prepare_not}};

constexpr operator_def predicate(std::string_view name, decltype(operator_def::infer) infer,
                                 std::span<const kernel_entry> kernels) {
  return {.name = name,
          .infer = infer,
          .receptive_field = rules::pointwise_field,
          .split_axis = rules::split_like_input,
          .kernels = kernels};
}

} // namespace

const operator_def is_nan = predicate("IsNaN", infer_question, is_nan_kernels);
const operator_def is_infinite = predicate("IsInf", infer_question, is_infinite_kernels);
const operator_def logical_not = predicate("Not", infer_not, not_kernels);

} // namespace shoal::operators
