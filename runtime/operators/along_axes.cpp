#include "kernels/reference/along_axes.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>

// MeanVarianceNormalization and LpNormalization: every element by a number made of those along
// some axes.

namespace shoal::operators {
namespace {

/// One axis for LpNormalization, [0,2,3] or those given for MeanVarianceNormalization.
result<std::vector<int>> axes_of(const node_context& c) {
  std::vector<std::int64_t> axes{c.attrs().get_int("axis", -1)};
  if (c.node.definition->name == "MeanVarianceNormalization") {
    const auto given = c.attrs().get_ints("axes");
    axes = {0, 2, 3};
    if (!given.empty()) axes.assign(given.begin(), given.end());
  }
  return arguments::axes_of(c, axes, c.dims(0).rank());
}

std::int64_t power_of(const graph_node& node) {
  return node.attrs.get_int("p", 2);
}

result<void> check_power(const graph_node& node) {
  if (power_of(node) == 1 || power_of(node) == 2) return {};
  return node_error(node, errc::malformed, fmt::format("p is {}, expected 1 or 2", power_of(node)));
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(axes_of(c));
  return rules::same_as_input(c);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  // At most: sum; difference, square and sum; difference and quotient.
  return {6.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

bool is_reduced(const node_context& c, int axis) {
  const auto axes = axes_of(c);
  return !axes || std::find(axes->begin(), axes->end(), axis) != axes->end();
}

std::optional<interval> field(const node_context& c, std::size_t, int axis, interval wanted) {
  if (is_reduced(c, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit || is_reduced(c, split[0])) return std::nullopt;
  return split[0];
}

struct nests {
  loop_nest kept = loop_nest(1), reduced = loop_nest(1);
};

nests nests_of(const node_context& c) {
  nests n;
  const auto strides = c.dims(0).dense_strides();
  for (int axis = 0; axis < c.dims(0).rank(); ++axis)
    (is_reduced(c, axis) ? n.reduced : n.kept).push(c.dims(0)[axis], {strides[axis]});
  return n;
}

result<std::unique_ptr<kernel>> prepare_mean_variance(const prepare_context& c) {
  return function_kernel(
      [n = nests_of(c)](const kernel_io& io) {
        reference::mean_variance_normalization(n.kept, n.reduced, io.inputs[0], io.outputs[0]);
      },
      {.overwritable = 0});
}

result<std::unique_ptr<kernel>> prepare_lp(const prepare_context& c) {
  return function_kernel(
      [n = nests_of(c), p = static_cast<double>(power_of(c.node))](const kernel_io& io) {
        reference::lp_normalization(p, n.kept, n.reduced, io.inputs[0], io.outputs[0]);
      },
      {.overwritable = 0});
}

constexpr kernel_entry mean_variance_kernels[] = {{"reference", prepare_mean_variance}};
constexpr kernel_entry lp_kernels[] = {{"reference", prepare_lp}};

} // namespace

const operator_def mean_variance_normalization{
    .name = "MeanVarianceNormalization",
    .first_opset = 9,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split,
    .kernels = mean_variance_kernels,
};

const operator_def lp_normalization{
    .name = "LpNormalization",
    .check = check_power,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split,
    .kernels = lp_kernels,
};

} // namespace shoal::operators
