#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"

#include <array>

namespace shoal::operators {
namespace {

result<void> check(const graph_node& node) {
  if (node.attrs.get_int("blocksize", 0) < 1)
    return node_error(node, errc::malformed, "blocksize is missing or less than 1");
  const auto mode = node.attrs.get_string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    return node_error(node, errc::malformed,
                      fmt::format("mode is '{}', expected DCR or CRD", mode));
  return {};
}

std::int64_t block(const node_context& c) {
  return c.attrs().get_int("blocksize", 1);
}

/// Extents of a tensor taken apart in six axes, copied in the order `order` of them.
copy_plan permute(const shape& parts, const std::array<int, 6>& order) {
  const auto from = parts.dense_strides();
  shape out;
  for (const int axis : order) out.push_back(parts[axis]);
  const auto to = out.dense_strides();
  element_copy copy;
  for (int i = 0; i < 6; ++i)
    copy.nest.push(out[i], {from[order[static_cast<std::size_t>(i)]], to[i]});
  return {.copies = {copy}};
}

result<void> expect_images(const node_context& c) {
  SHOAL_CHECK(check(c.node));
  if (c.dims(0).rank() == 4) return {};
  return arguments::refuse(c, errc::invalid_argument, "expected 4 dimensions, got {}",
                           to_string(c.inputs[0].type));
}

result<std::vector<tensor_type>> infer_depth_to_space(const node_context& c) {
  SHOAL_CHECK(expect_images(c));
  const auto& d = c.dims(0);
  const auto b = block(c);
  if (b > d[1] || d[1] % (b * b) != 0)
    return arguments::refuse(c, errc::invalid_argument,
                             "{} channels do not make blocks of {} times {}", d[1], b, b);
  const std::int64_t extents[] = {d[0], d[1] / (b * b), d[2] * b, d[3] * b};
  SHOAL_TRY(const auto out, arguments::checked_shape(c, extents));
  return arguments::one_output(c.type(0), out);
}

copy_plan plan_depth_to_space(const prepare_context& c) {
  const auto& d = c.dims(0);
  const auto b = block(c), depth = d[1] / (b * b);
  if (c.attrs().get_string("mode", "DCR") == "CRD")
    return permute({d[0], depth, b, b, d[2], d[3]}, {0, 1, 4, 2, 5, 3});
  return permute({d[0], b, b, depth, d[2], d[3]}, {0, 3, 4, 1, 5, 2});
}

std::optional<interval> field_depth_to_space(const node_context& c, std::size_t, int axis,
                                             interval wanted) {
  if (axis == 0) return wanted;
  if (axis == 1) return std::nullopt;
  return interval{wanted.first / block(c), wanted.last / block(c)};
}

result<std::vector<tensor_type>> infer_space_to_depth(const node_context& c) {
  SHOAL_CHECK(expect_images(c));
  const auto& d = c.dims(0);
  const auto b = block(c);
  if (d[2] % b != 0 || d[3] % b != 0)
    return arguments::refuse(c, errc::invalid_argument, "{} does not divide into blocks of {}",
                             to_string(d), b);
  const std::int64_t across[] = {b, b, d[1]};
  SHOAL_TRY(const auto depth, checked_element_count(across));
  return arguments::one_output(c.type(0), {d[0], depth, d[2] / b, d[3] / b});
}

copy_plan plan_space_to_depth(const prepare_context& c) {
  const auto& d = c.dims(0);
  const auto b = block(c);
  return permute({d[0], d[1], d[2] / b, b, d[3] / b, b}, {0, 3, 5, 1, 2, 4});
}

std::optional<interval> field_space_to_depth(const node_context& c, std::size_t, int axis,
                                             interval wanted) {
  if (axis == 0) return wanted;
  if (axis == 1) return std::nullopt;
  return interval{wanted.first * block(c), wanted.last * block(c) + block(c) - 1};
}

/// Images of a batch; rows and columns too where a cut cannot fall inside a block.
std::optional<int> split_depth_to_space(const node_context&, std::span<const int> split) {
  if (split[0] == 1 || split[0] == unsplit) return std::nullopt;
  return split[0];
}

std::optional<int> split_space_to_depth(const node_context&, std::span<const int> split) {
  if (split[0] != 0) return std::nullopt;
  return 0;
}

} // namespace

const operator_def depth_to_space{
    .name = "DepthToSpace",
    .check = check,
    .infer = infer_depth_to_space,
    .receptive_field = field_depth_to_space,
    .split_axis = split_depth_to_space,
    .kernels = copy_kernels<plan_depth_to_space>,
};

const operator_def space_to_depth{
    .name = "SpaceToDepth",
    .check = check,
    .infer = infer_space_to_depth,
    .receptive_field = field_space_to_depth,
    .split_axis = split_space_to_depth,
    .kernels = copy_kernels<plan_space_to_depth>,
};

} // namespace shoal::operators
