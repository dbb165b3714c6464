#include "kernels/reference/pooling.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

bool wants_indices(const graph_node& node) {
  return node.outputs.size() > 1 && node.outputs[1] != no_value;
}

/// The second output tells where the first was found.
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(auto types, rules::infer_pool(c));
  if (c.node.outputs.size() > 1) types.push_back({dtype::i64, types[0].dims});
  return types;
}

/// Indices count over the whole batch.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (wants_indices(c.node)) return std::nullopt;
  return rules::split_batch(c, split);
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  if (wants_indices(c.node)) return nullptr;
  return rules::prepare_onednn_pool(c, kernels::pooling::max, false);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  if (!wants_indices(c.node)) return rules::prepare_reference_pool(c, kernels::pooling::max, false);
  SHOAL_TRY(const auto kernel, rules::read_kernel_shape(c));
  SHOAL_TRY(const auto at, rules::read_window(c, kernel));
  const bool column_major = c.attrs().get_int("storage_order", 0) != 0;
  return function_kernel([=](const kernel_io& io) {
    if (io.outputs[0].data != nullptr) reference::max_pool(io.inputs[0], io.outputs[0], at);
    reference::max_pool_indices(io.inputs[0], io.outputs[1], at, column_major);
  });
}

constexpr kernel_entry max_pool_kernels[] = {{"onednn", prepare_onednn},
                                             {"reference", prepare_reference}};

} // namespace

const operator_def max_pool{
    .name = "MaxPool",
    .max_outputs = 2,
    .infer = infer,
    .cost = rules::pool_cost,
    .receptive_field = rules::pool_field,
    .split_axis = split,
    .kernels = max_pool_kernels,
};

} // namespace shoal::operators
