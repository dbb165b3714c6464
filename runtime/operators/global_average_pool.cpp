#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  return rules::infer_global_pool(c);
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  return rules::prepare_onednn_pool(c, kernels::pooling::average, true);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return rules::prepare_reference_pool(c, kernels::pooling::average, true);
}

constexpr kernel_entry global_average_pool_kernels[] = {{"onednn", prepare_onednn},
                                                        {"reference", prepare_reference}};

} // namespace

const operator_def global_average_pool{
    .name = "GlobalAveragePool",
    .infer = infer,
    .cost = rules::global_pool_cost,
    .receptive_field = rules::global_pool_field,
    .split_axis = rules::split_batch,
    .kernels = global_average_pool_kernels,
};

} // namespace shoal::operators
