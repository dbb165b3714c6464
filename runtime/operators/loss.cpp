#include "kernels/reference/loss.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"

/// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: scores [N,C,d1...], targets [N,d1...],
/// and the loss in the shape of the targets, or reduced to a scalar.
namespace shoal::operators {
namespace {

using arguments::refuse;
using reference::loss_problem;
using reference::loss_reduction;

std::optional<loss_reduction> reduction_of(const attributes& attrs) {
  const auto name = attrs.get_string("reduction", "mean");
  if (name == "none") return loss_reduction::none;
  if (name == "sum") return loss_reduction::sum;
  if (name == "mean") return loss_reduction::mean;
  return std::nullopt;
}

result<void> check(const graph_node& node) {
  if (reduction_of(node.attrs)) return {};
  return node_error(node, errc::malformed, "reduction is none of none, sum and mean");
}

loss_problem problem_of(const node_context& c, bool softmax) {
  const auto& x = c.dims(0);
  loss_problem p{.batch = x[0],
                 .classes = x[1],
                 .inner = x.element_count(2, x.rank()),
                 .reduction = *reduction_of(c.attrs()),
                 .ignored = {},
                 .softmax = softmax};
  if (const auto* ignored = c.attrs().get<std::int64_t>("ignore_index")) p.ignored = *ignored;
  return p;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i32, dtype::i64}));
  const auto& x = c.dims(0);
  if (x.rank() < 2)
    return refuse(c, errc::invalid_argument, "input 0: expected [N,C,..], got {}", to_string(x));
  shape targets{x[0]};
  for (int axis = 2; axis < x.rank(); ++axis) targets.push_back(x[axis]);
  if (c.dims(1) != targets)
    return refuse(c, errc::invalid_argument, "input 1: expected {} for scores {}, got {}",
                  to_string(targets), to_string(x), to_string(c.dims(1)));
  if (c.has(2)) {
    SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
    if (c.dims(2) != shape{x[1]})
      return refuse(c, errc::invalid_argument, "input 2: expected [{}], got {}", x[1],
                    to_string(c.dims(2)));
  }
  const bool reduced = reduction_of(c.attrs()) != loss_reduction::none;
  std::vector<tensor_type> types{{c.type(0), reduced ? shape{} : targets}};
  if (c.node.outputs.size() > 1) types.push_back({c.type(0), x});
  return types;
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto scores = static_cast<double>(c.dims(0).element_count());
  return {10 * scores, scores * static_cast<double>(size_of(c.type(0)) * (1 + outputs.size()))};
}

/// A loss that is not reduced belongs to one element of the batch.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input > 1 || axis != 0 || reduction_of(c.attrs()) != loss_reduction::none)
    return std::nullopt;
  return wanted;
}

std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  if (split[0] != 0 || split[1] != 0 || (split.size() > 2 && split[2] != unsplit) ||
      reduction_of(c.attrs()) != loss_reduction::none)
    return std::nullopt;
  return 0;
}

template <bool Softmax>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto p = problem_of(c, Softmax);
  return function_kernel([p](const kernel_io& io) { reference::negative_log_likelihood(p, io); });
}

constexpr kernel_entry likelihood_kernels[] = {{"reference", prepare<false>}};
constexpr kernel_entry entropy_kernels[] = {{"reference", prepare<true>}};

} // namespace

const operator_def negative_log_likelihood_loss{
    .name = "NegativeLogLikelihoodLoss",
    .first_opset = 12,
    .min_inputs = 2,
    .max_inputs = 3,
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = likelihood_kernels,
};

const operator_def softmax_cross_entropy_loss{
    .name = "SoftmaxCrossEntropyLoss",
    .first_opset = 12,
    .min_inputs = 2,
    .max_inputs = 3,
    .max_outputs = 2,
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = entropy_kernels,
};

} // namespace shoal::operators
