#include "kernels/reference/loss.hpp"

#include "kernels/reference/softmax.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: scores [N,C,...] (for NegativeLogLikelihoodLoss their log-softmax), targets [N,...],
// weights [C]. SoftmaxCrossEntropyLoss gives the log-softmax as a second output.

namespace shoal::operators {
namespace {

using arguments::refuse;
using reference::loss_reduction;

result<loss_reduction> reduction_of(const graph_node& node) {
  const auto name = node.attrs.get_string("reduction", "mean");
  if (name == "none") return loss_reduction::none;
  if (name == "sum") return loss_reduction::sum;
  if (name == "mean") return loss_reduction::mean;
  return node_error(node, errc::malformed,
                    fmt::format("reduction is '{}', expected none, sum or mean", name));
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(reduction_of(node));
  return {};
}

std::optional<std::int64_t> ignored_target(const node_context& c) {
  const auto* given = c.attrs().get<std::int64_t>("ignore_index");
  return given == nullptr ? std::nullopt : std::optional(*given);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i32, dtype::i64}));
  const auto& x = c.dims(0);
  shape targets;
  for (int axis = 0; axis < x.rank(); ++axis)
    if (axis != 1) targets.push_back(x[axis]);
  if (x.rank() < 2 || c.dims(1) != targets)
    return refuse(c, errc::invalid_argument,
                  "expected scores [N,C,...] and targets [N,...], got {} and {}", to_string(x),
                  to_string(c.dims(1)));
  if (c.has(2)) {
    SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
    if (c.dims(2) != shape{x[1]})
      return refuse(c, errc::invalid_argument, "weights: expected [{}], got {}", x[1],
                    to_string(c.dims(2)));
  }
  SHOAL_TRY(const auto reduction, reduction_of(c.node));
  std::vector<tensor_type> types{
      {c.type(0), reduction == loss_reduction::none ? targets : shape{}}};
  if (c.node.outputs.size() > 1) types.push_back(c.inputs[0].type);
  return types;
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {5.0 * static_cast<double>(c.dims(0).element_count()), rules::operand_bytes(c, outputs)};
}

bool is_reduced(const node_context& c) {
  return c.attrs().get_string("reduction", "mean") != "none";
}

/// Element by element where nothing is reduced; behind the classes the axes have other numbers.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (is_reduced(c) || input == 2) return std::nullopt;
  if (axis == 0 || input == 1) return wanted;
  return std::nullopt;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  const bool whole_weights = split.size() < 3 || split[2] == unsplit;
  if (is_reduced(c) || split[0] != 0 || split[1] != 0 || !whole_weights) return std::nullopt;
  return 0;
}

const_view weights_of(const kernel_io& io) {
  return io.inputs.size() > 2 ? io.inputs[2] : const_view{};
}

result<std::unique_ptr<kernel>> prepare_likelihood(const prepare_context& c) {
  SHOAL_TRY(const auto reduction, reduction_of(c.node));
  return function_kernel([reduction, ignored = ignored_target(c)](const kernel_io& io) {
    reference::negative_log_likelihood(reduction, ignored, io.inputs[0], io.inputs[1],
                                       weights_of(io), io.outputs[0]);
  });
}

result<std::unique_ptr<kernel>> prepare_entropy(const prepare_context& c) {
  SHOAL_TRY(const auto reduction, reduction_of(c.node));
  const auto bytes = static_cast<std::size_t>(c.dims(0).element_count()) * size_of(c.type(0));
  return function_kernel(
      [reduction, ignored = ignored_target(c)](const kernel_io& io) {
        const auto& x = io.inputs[0];
        view logarithms{io.scratch, x.type, layout::plain, x.dims};
        if (io.outputs.size() > 1 && io.outputs[1].data != nullptr) logarithms = io.outputs[1];
        reference::softmax(x, logarithms, x.dims[1], x.dims.element_count(2, x.dims.rank()), true);
        reference::negative_log_likelihood(reduction, ignored, logarithms, io.inputs[1],
                                           weights_of(io), io.outputs[0]);
      },
      {.scratch_bytes = bytes});
}

constexpr kernel_entry likelihood_kernels[] = {{"reference", prepare_likelihood}};
constexpr kernel_entry entropy_kernels[] = {{"reference", prepare_entropy}};

constexpr operator_def definition(std::string_view name, int outputs,
                                  std::span<const kernel_entry> kernels) {
  return {.name = name,
          .first_opset = 12,
          .min_inputs = 2,
          .max_inputs = 3,
          .max_outputs = outputs,
          .check = check,
          .infer = infer,
          .cost = cost,
          .receptive_field = field,
          .split_axis = split,
          .kernels = kernels};
}

} // namespace

const operator_def negative_log_likelihood_loss =
    definition("NegativeLogLikelihoodLoss", 1, likelihood_kernels);
const operator_def softmax_cross_entropy_loss =
    definition("SoftmaxCrossEntropyLoss", 2, entropy_kernels);

} // namespace shoal::operators
