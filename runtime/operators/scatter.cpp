#include "kernels/reference/index_elements.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

using reference::scatter_mode;

result<scatter_mode> mode_of(const graph_node& node) {
  const auto mode = node.attrs.get_string("reduction", "none");
  if (mode == "none") return scatter_mode::replace;
  if (mode == "add") return scatter_mode::add;
  if (mode == "mul") return scatter_mode::mul;
  if (mode == "max") return scatter_mode::max;
  if (mode == "min") return scatter_mode::min;
  return node_error(node, errc::malformed,
                    fmt::format("reduction is '{}', expected none, add, mul, max or min", mode));
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(mode_of(node));
  return {};
}

int scatter_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", 0);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

result<void> expect_types(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i64, dtype::i32}));
  return arguments::expect_same_type(c, 2, 0);
}

result<std::vector<tensor_type>> infer_elements(const node_context& c) {
  SHOAL_CHECK(expect_types(c));
  const auto &data = c.dims(0), &indices = c.dims(1);
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", 0), data.rank()));
  bool fits = indices.rank() == data.rank() && c.dims(2) == indices;
  for (int a = 0; fits && a < data.rank(); ++a) fits = a == axis || indices[a] <= data[a];
  if (!fits)
    return arguments::refuse(c, errc::invalid_argument,
                             "indices {} and updates {} do not fit data {}", to_string(indices),
                             to_string(c.dims(2)), to_string(data));
  return rules::same_as_input(c);
}

result<std::vector<tensor_type>> infer_nd(const node_context& c) {
  SHOAL_CHECK(expect_types(c));
  const auto &data = c.dims(0), &indices = c.dims(1);
  const auto depth = indices.rank() > 0 ? indices[indices.rank() - 1] : 0;
  if (depth < 1 || depth > data.rank())
    return arguments::refuse(c, errc::invalid_argument, "indices {} do not fit data {}",
                             to_string(indices), to_string(data));
  std::vector<std::int64_t> expected(indices.begin(), indices.end() - 1);
  expected.insert(expected.end(), data.begin() + depth, data.end());
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, expected));
  if (c.dims(2) != dims)
    return arguments::refuse(c, errc::invalid_argument, "expected updates {}, got {}",
                             to_string(dims), to_string(c.dims(2)));
  return rules::same_as_input(c);
}

/// In place, unless the updates are the data themselves.
kernel_traits overwriting(const node_context& c) {
  if (c.node.inputs[2] == c.node.inputs[0]) return {};
  return {.overwritable = 0};
}

result<std::unique_ptr<kernel>> prepare_elements(const prepare_context& c) {
  SHOAL_TRY(const auto mode, mode_of(c.node));
  return function_kernel(
      [mode, axis = scatter_axis(c)](const kernel_io& io) {
        reference::scatter_elements(mode, axis, io.inputs[0], io.inputs[1], io.inputs[2],
                                    io.outputs[0]);
      },
      overwriting(c));
}

result<std::unique_ptr<kernel>> prepare_nd(const prepare_context& c) {
  SHOAL_TRY(const auto mode, mode_of(c.node));
  return function_kernel(
      [mode](const kernel_io& io) {
        reference::scatter_nd(mode, io.inputs[0], io.inputs[1], io.inputs[2], io.outputs[0]);
      },
      overwriting(c));
}

constexpr kernel_entry elements_kernels[] = {{"reference", prepare_elements}};
constexpr kernel_entry nd_kernels[] = {{"reference", prepare_nd}};

/// All three are cut alike, along an axis that the indices do not choose in.
std::optional<int> split_elements(const node_context& c, std::span<const int> split) {
  const int axis = split[0];
  if (axis == unsplit || axis == scatter_axis(c) || split[1] != axis || split[2] != axis)
    return std::nullopt;
  if (c.dims(0)[axis] != c.dims(1)[axis]) return std::nullopt;
  return axis;
}

/// Data and updates are cut inside the slices that the indices choose whole.
std::optional<int> split_nd(const node_context& c, std::span<const int> split) {
  const auto depth = static_cast<int>(c.dims(1)[c.dims(1).rank() - 1]);
  if (split[0] < depth || split[1] != unsplit) return std::nullopt;
  if (split[2] != split[0] - depth + c.dims(1).rank() - 1) return std::nullopt;
  return split[0];
}

constexpr operator_def by_elements(std::string_view name, int first_opset, int last_opset) {
  return {.name = name,
          .first_opset = first_opset,
          .last_opset = last_opset,
          .min_inputs = 3,
          .max_inputs = 3,
          .check = check,
          .infer = infer_elements,
          .split_axis = split_elements,
          .kernels = elements_kernels};
}

} // namespace

const operator_def scatter_elements = by_elements("ScatterElements", 11, 21);
const operator_def scatter = by_elements("Scatter", 9, 10); // the same by its first name

const operator_def scatter_nd{
    .name = "ScatterND",
    .first_opset = 11,
    .min_inputs = 3,
    .max_inputs = 3,
    .check = check,
    .infer = infer_nd,
    .split_axis = split_nd,
    .kernels = nd_kernels,
};

} // namespace shoal::operators
