#include "kernels/reference/grid_sample.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: X [N,C,spatial...] and grid [N,spatial of the output...,number of spatial axes].

namespace shoal::operators {
namespace {

using arguments::refuse;

/// Opset 16 calls the modes after images of two axes, opset 20 after what they do.
result<reference::grid_sample_rule> rule_of(const graph_node& node) {
  reference::grid_sample_rule rule;
  const auto mode = node.attrs.get_string("mode", "linear");
  if (mode == "nearest")
    rule.mode = interpolation::nearest;
  else if (mode == "bicubic" || mode == "cubic")
    rule.mode = interpolation::cubic;
  else if (mode != "bilinear" && mode != "linear")
    return node_error(
        node, errc::malformed,
        fmt::format("mode is '{}', expected linear (bilinear), nearest or cubic (bicubic)", mode));
  const auto padding = node.attrs.get_string("padding_mode", "zeros");
  if (padding == "border")
    rule.padding = reference::sample_padding::border;
  else if (padding == "reflection")
    rule.padding = reference::sample_padding::reflection;
  else if (padding != "zeros")
    return node_error(
        node, errc::malformed,
        fmt::format("padding_mode is '{}', expected zeros, border or reflection", padding));
  rule.align_corners = node.attrs.get_int("align_corners", 0) != 0;
  return rule;
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(rule_of(node));
  return {};
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto floats = {dtype::f32, dtype::f64, dtype::f16, dtype::bf16};
  SHOAL_CHECK(arguments::expect_type(c, 0, floats));
  SHOAL_CHECK(arguments::expect_type(c, 1, floats));
  SHOAL_CHECK(rules::expect_image(c));
  const auto &x = c.dims(0), &grid = c.dims(1);
  if (grid.rank() != x.rank() || grid[0] != x[0] || grid[grid.rank() - 1] != x.rank() - 2)
    return refuse(c, errc::invalid_argument,
                  "grid: expected [{},...,{}] of {} axes for X {}, got {}", x[0], x.rank() - 2,
                  x.rank(), to_string(x), to_string(grid));
  if (x.element_count(2, x.rank()) == 0)
    return refuse(c, errc::invalid_argument, "X: expected pixels, got {}", to_string(x));
  shape out{x[0], x[1]};
  for (int axis = 1; axis + 1 < grid.rank(); ++axis) out.push_back(grid[axis]);
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out.span()));
  return arguments::one_output(c.type(0), dims);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto rule = rule_of(c.node);
  const int per_axis = !rule || rule->mode == interpolation::nearest ? 1
                       : rule->mode == interpolation::linear         ? 2
                                                                     : 4;
  double taps = 1;
  for (int axis = 2; axis < c.dims(0).rank(); ++axis) taps *= per_axis;
  return {2 * taps * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

/// The grid has no channels, and its last axis holds the coordinates.
std::optional<int> input_axis(const node_context&, std::size_t input, int axis) {
  if (input == 0 || axis == 0) return axis;
  if (axis == 1) return std::nullopt;
  return axis - 1;
}

/// A place may be read from anywhere in its image.
std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (input == 0 ? axis > 1 : axis == 1) return std::nullopt;
  return wanted;
}

/// Images with their grids, or channels.
std::optional<int> split(const node_context&, std::span<const int> split) {
  if (split[0] == 0 && split[1] == 0) return 0;
  if (split[0] == 1 && split[1] == unsplit) return 1;
  return std::nullopt;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto rule, rule_of(c.node));
  return function_kernel([rule](const kernel_io& io) {
    reference::grid_sample(rule, io.inputs[0], io.inputs[1], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def grid_sample{
    .name = "GridSample",
    .first_opset = 16,
    .min_inputs = 2,
    .max_inputs = 2,
    .check = check,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
