#include "kernels/reference/roi_align.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: X [N,C,H,W], rois [R,4], batch_indices [R].

namespace shoal::operators {
namespace {

using arguments::refuse;

/// Opset 10 knows no half pixels.
result<reference::roi_align_rule> rule_of(const graph_node& node) {
  const auto& a = node.attrs;
  reference::roi_align_rule rule;
  const auto mode = a.get_string("mode", "avg");
  if (mode != "avg" && mode != "max")
    return node_error(node, errc::malformed,
                      fmt::format("mode is '{}', expected avg or max", mode));
  rule.takes_max = mode == "max";
  const auto coordinates = a.get_string("coordinate_transformation_mode",
                                        node.opset < 16 ? "output_half_pixel" : "half_pixel");
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel")
    return node_error(node, errc::malformed,
                      fmt::format("coordinate_transformation_mode is '{}', expected half_pixel or "
                                  "output_half_pixel",
                                  coordinates));
  rule.half_pixel = coordinates == "half_pixel";
  rule.samples = a.get_int("sampling_ratio", 0);
  rule.scale = static_cast<double>(a.get_float("spatial_scale", 1));
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
  SHOAL_CHECK(arguments::expect_type(c, 2, {dtype::i64}));
  const auto &x = c.dims(0), &rois = c.dims(1);
  if (x.rank() != 4 || x[2] * x[3] == 0)
    return refuse(c, errc::invalid_argument, "X: expected [N,C,H,W] with pixels, got {}",
                  to_string(x));
  if (rois.rank() != 2 || rois[1] != 4 || c.dims(2) != shape{rois[0]})
    return refuse(c, errc::invalid_argument,
                  "expected rois [R,4] and batch_indices [R], got {} and {}", to_string(rois),
                  to_string(c.dims(2)));
  const std::int64_t out[] = {rois[0], x[1], c.attrs().get_int("output_height", 1),
                              c.attrs().get_int("output_width", 1)};
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out));
  return arguments::one_output(c.type(0), dims);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto samples = static_cast<double>(c.attrs().get_int("sampling_ratio", 0));
  const double per_bin = samples > 0 ? samples * samples : 4; // as many as there are pixels
  return {8 * per_bin * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

/// Regions and what belongs to them stay beside each other; so do channels.
std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (axis != (input == 0 ? 1 : 0)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context&, std::span<const int> split) {
  if (split[0] == unsplit && split[1] == 0 && split[2] == 0) return 0;
  if (split[0] == 1 && split[1] == unsplit && split[2] == unsplit) return 1;
  return std::nullopt;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto rule, rule_of(c.node));
  return function_kernel([rule](const kernel_io& io) {
    reference::roi_align(rule, io.inputs[0], io.inputs[1], io.inputs[2], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def roi_align{
    .name = "RoiAlign",
    .first_opset = 10,
    .min_inputs = 3,
    .max_inputs = 3,
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
