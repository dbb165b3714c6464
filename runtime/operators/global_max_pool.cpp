#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  return rules::prepare_onednn_pool(c, kernels::pooling::max, true);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return rules::prepare_reference_pool(c, kernels::pooling::max, true);
}

constexpr kernel_entry global_max_pool_kernels[] = {{"onednn", prepare_onednn},
                                                    {"reference", prepare_reference}};

} // namespace

const operator_def global_max_pool{
    .name = "GlobalMaxPool",
    .infer = rules::infer_global_pool,
    .cost = rules::global_pool_cost,
    .receptive_field = rules::global_pool_field,
    .split_axis = rules::split_batch,
    .kernels = global_max_pool_kernels,
};

} // namespace shoal::operators
