#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

result<void> check(const graph_node& node) {
  if (node.outputs.size() > 1 && node.outputs[1] != no_value)
    return node_error(node, errc::unsupported, "the second output, Indices, is not computed");
  return {};
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  return rules::prepare_onednn_pool(c, kernels::pooling::max, false);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return rules::prepare_reference_pool(c, kernels::pooling::max, false);
}

constexpr kernel_entry max_pool_kernels[] = {{"onednn", prepare_onednn},
                                             {"reference", prepare_reference}};

} // namespace

const operator_def max_pool{
    .name = "MaxPool",
    .max_outputs = 2,
    .check = check,
    .infer = rules::infer_pool,
    .cost = rules::pool_cost,
    .receptive_field = rules::pool_field,
    .split_axis = rules::split_batch,
    .kernels = max_pool_kernels,
};

} // namespace shoal::operators
