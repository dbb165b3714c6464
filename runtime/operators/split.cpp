#include "kernels/broadcast.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

int axis_of(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", 0);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

/// What each output gets: an attribute up to opset 12, an input from 13 on; else equal parts, the
/// last of which may be smaller since opset 18.
result<std::vector<std::int64_t>> parts_of(const node_context& c, std::int64_t extent) {
  SHOAL_TRY(auto parts, arguments::ints(c, 1, "split"));
  const auto count = static_cast<std::int64_t>(c.node.outputs.size());
  if (parts.empty()) {
    if (c.attrs().get_int("num_outputs", count) != count)
      return arguments::refuse(c, errc::malformed, "num_outputs is {}, but {} outputs are named",
                               c.attrs().get_int("num_outputs", count), count);
    if (c.node.opset < 18 && extent % count != 0)
      return arguments::refuse(c, errc::invalid_argument, "{} elements cannot be split in {} parts",
                               extent, count);
    const auto part = (extent + count - 1) / count;
    for (std::int64_t i = 0; i < count; ++i)
      parts.push_back(std::max<std::int64_t>(0, std::min(part, extent - i * part)));
  }
  std::int64_t left = extent;
  for (const auto part : parts) {
    if (part < 0 || part > left)
      return arguments::refuse(c, errc::invalid_argument, "a part of {} with {} elements left",
                               part, left);
    left -= part;
  }
  if (static_cast<std::int64_t>(parts.size()) != count || left != 0)
    return arguments::refuse(c, errc::invalid_argument,
                             "{} parts for {} outputs leave {} of {} elements", parts.size(), count,
                             left, extent);
  return parts;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", 0), c.dims(0).rank()));
  SHOAL_TRY(const auto parts, parts_of(c, c.dims(0)[axis]));
  std::vector<tensor_type> types;
  for (const auto part : parts) {
    types.push_back(c.inputs[0].type);
    types.back().dims[axis] = part;
  }
  return types;
}

/// Blocked channels stay blocked when every part fills its blocks, as with Concat.
layout kept_layout(const prepare_context& c) {
  const auto format = c.input_layouts[0];
  if (axis_of(c) != 1 || (format != layout::blocked_8 && format != layout::blocked_16))
    return layout::plain;
  for (const auto& part : c.outputs)
    if (!broadcasts_in(part.dims, part.dims, format)) return layout::plain;
  return format;
}

copy_plan plan(const prepare_context& c) {
  const int axis = axis_of(c);
  const auto& dims = c.dims(0);
  const auto row = dims.element_count(axis, dims.rank());
  copy_plan p;
  p.traits.output = kept_layout(c);
  p.traits.inputs = {p.traits.output};
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < c.outputs.size(); ++i) {
    const auto part = c.outputs[i].dims.element_count(axis, dims.rank());
    if (c.node.outputs[i] != no_value) {
      element_copy copy{.from_offset = offset, .output = i};
      copy.nest.push(dims.element_count(0, axis), {row, part});
      copy.nest.push(part, {1, 1});
      p.copies.push_back(copy);
    }
    offset += part;
  }
  return p;
}

/// The outputs are cut at the same places, so along other axes; along its own axis an interval
/// would have to say of which output.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis == axis_of(c)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] == unsplit || split[0] == axis_of(c)) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def split_tensor{
    .name = "Split",
    .first_opset = 2,
    .max_inputs = 2,
    .max_outputs = -1,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = copy_kernels<plan>,
};

} // namespace shoal::operators
