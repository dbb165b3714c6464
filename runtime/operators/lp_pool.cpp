#include "kernels/reference/pooling.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

/// A float in opset 1.
double power_of(const graph_node& node) {
  if (node.opset < 2) return static_cast<double>(node.attrs.get_float("p", 2));
  return static_cast<double>(node.attrs.get_int("p", 2));
}

result<void> check(const graph_node& node) {
  if (power_of(node) > 0) return {};
  return node_error(node, errc::malformed,
                    fmt::format("p is {}, expected more than 0", power_of(node)));
}

template <bool global>
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  return global ? rules::infer_global_pool(c) : rules::infer_pool(c);
}

template <bool global>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  window at = rules::global_window(c.dims(0));
  if (!global) {
    SHOAL_TRY(const auto kernel, rules::read_kernel_shape(c));
    SHOAL_TRY(at, rules::read_window(c, kernel));
  }
  return function_kernel([at, p = power_of(c.node)](const kernel_io& io) {
    reference::lp_pool(io.inputs[0], io.outputs[0], at, p);
  });
}

template <bool global>
constexpr kernel_entry kernels[] = {{"reference", prepare<global>}};

} // namespace

const operator_def lp_pool{
    .name = "LpPool",
    .check = check,
    .infer = infer<false>,
    .cost = rules::pool_cost,
    .receptive_field = rules::pool_field,
    .split_axis = rules::split_batch,
    .kernels = kernels<false>,
};

const operator_def global_lp_pool{
    .name = "GlobalLpPool",
    .check = check,
    .infer = infer<true>,
    .cost = rules::global_pool_cost,
    .receptive_field = rules::global_pool_field,
    .split_axis = rules::split_batch,
    .kernels = kernels<true>,
};

} // namespace shoal::operators
