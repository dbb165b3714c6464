#include "runtime/operators/operators.hpp"
#include "runtime/operators/recurrent_rules.hpp"

namespace shoal::operators {
namespace {

constexpr auto cell = recurrent_problem::cell::gru;

result<void> check(const graph_node& node) {
  return rules::check_recurrent(node, cell);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  return rules::infer_recurrent(c, cell);
}

operator_cost cost(const node_context& c, std::span<const tensor_type>) {
  return rules::recurrent_cost(c, cell);
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  return rules::prepare_recurrent(c, cell);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return rules::prepare_recurrent_reference(c, cell);
}

constexpr kernel_entry kernels[] = {{"onednn", prepare_onednn}, {"reference", prepare_reference}};

} // namespace

const operator_def gru{
    .name = "GRU",
    .first_opset = 7,
    .min_inputs = 3,
    .max_inputs = 6,
    .max_outputs = -1, // any of them may be left out, the first too; `check` counts
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = rules::recurrent_field,
    .split_axis = rules::split_recurrent,
    .kernels = kernels,
};

} // namespace shoal::operators
