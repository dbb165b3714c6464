#pragma once

#include "kernels/recurrent.hpp"
#include "runtime/operators/operator.hpp"

/// What RNN, GRU and LSTM have in common. X is [steps,batch,inputs], or [batch,steps,inputs] with
/// layout 1; outputs are Y (every h), Y_h and, of LSTM, Y_c (the last states); any may be left out.
namespace shoal::rules {

/// Attributes that need no shapes.
result<void> check_recurrent(const graph_node& node, recurrent_problem::cell type);
result<std::vector<tensor_type>> infer_recurrent(const node_context& c,
                                                 recurrent_problem::cell type);
operator_cost recurrent_cost(const node_context& c, recurrent_problem::cell type);

/// Sequences of a batch know nothing of each other. Steps do, all of them.
std::optional<interval> recurrent_field(const node_context& c, std::size_t input, int axis,
                                        interval wanted);
/// Along the batch, where that is the same axis of every output that the node has.
std::optional<int> split_recurrent(const node_context& c, std::span<const int> split);

result<std::unique_ptr<kernel>> prepare_recurrent(const prepare_context& c,
                                                  recurrent_problem::cell type);
result<std::unique_ptr<kernel>> prepare_recurrent_reference(const prepare_context& c,
                                                            recurrent_problem::cell type);

} // namespace shoal::rules
