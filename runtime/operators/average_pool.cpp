#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

kernels::pooling function_of(const node_context& c) {
  return c.attrs().get_int("count_include_pad", 0) != 0 ? kernels::pooling::average_with_padding
                                                        : kernels::pooling::average;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  return rules::infer_pool(c);
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  const auto function = function_of(c);
  // Windows that hang over the padding are not oneDNN's, and whether any does depends on the
  // extents: which kernel computes a crop of an image must not.
  const bool may_hang_over = c.attrs().get_int("ceil_mode", 0) != 0;
  if (may_hang_over && function == kernels::pooling::average_with_padding) return nullptr;
  return rules::prepare_onednn_pool(c, function, false);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return rules::prepare_reference_pool(c, function_of(c), false);
}

constexpr kernel_entry average_pool_kernels[] = {{"onednn", prepare_onednn},
                                                 {"reference", prepare_reference}};

} // namespace

const operator_def average_pool{
    .name = "AveragePool",
    .infer = infer,
    .cost = rules::pool_cost,
    .receptive_field = rules::pool_field,
    .split_axis = rules::split_batch,
    .kernels = average_pool_kernels,
};

} // namespace shoal::operators
