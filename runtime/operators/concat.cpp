#include "kernels/broadcast.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>
#include <array>

namespace shoal::operators {
namespace {

int concat_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", 1);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", 1), c.dims(0).rank()));
  shape out = c.dims(0);
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    bool fits = c.dims(i).rank() == out.rank();
    for (int a = 0; fits && a < out.rank(); ++a) fits = a == axis || c.dims(i)[a] == out[a];
    if (!fits)
      return arguments::refuse(c, errc::invalid_argument,
                               "input {} is {}, which does not fit input 0, {}, along axis {}", i,
                               to_string(c.dims(i)), to_string(c.dims(0)), axis);
    out[axis] += c.dims(i)[axis];
  }
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out.span()));
  return arguments::one_output(c.type(0), dims);
}

bool is_blocked(layout format) {
  return format == layout::blocked_8 || format == layout::blocked_16;
}

/// The layout that most elements come in, if channels can be joined in it: blocked ones when every
/// input fills its blocks. The others are reordered, which costs no more than copying them twice.
layout joined_layout(const prepare_context& c) {
  if (concat_axis(c) != 1 || c.dims(0).rank() < 3) return layout::plain;
  std::array<std::int64_t, 4> elements{}; // by layout
  for (std::size_t i = 0; i < c.inputs.size(); ++i)
    elements[static_cast<std::size_t>(c.input_layouts[i])] += c.dims(i).element_count();
  const auto most = std::max_element(elements.begin(), elements.end()) - elements.begin();
  const auto format = static_cast<layout>(most);
  for (std::size_t i = 0; is_blocked(format) && i < c.inputs.size(); ++i)
    if (!broadcasts_in(c.dims(i), c.dims(i), format)) return layout::plain;
  return format;
}

copy_plan plan(const prepare_context& c) {
  const int axis = concat_axis(c);
  const auto& out = c.outputs[0].dims;
  copy_plan p;
  p.traits.output = joined_layout(c);
  p.traits.inputs.assign(c.inputs.size(), p.traits.output);
  // Channels that lie innermost are joined pixel by pixel, all else in rows from the axis inwards.
  const bool pixels = p.traits.output == layout::channels_last;
  const auto inner = pixels ? 1 : out.element_count(axis + 1, out.rank());
  const auto outer =
      pixels ? out[0] * out.element_count(2, out.rank()) : out.element_count(0, axis);
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const auto part = c.dims(i)[axis] * inner;
    element_copy copy{.to_offset = offset, .input = i};
    copy.nest.push(outer, {part, out[axis] * inner});
    copy.nest.push(part, {1, 1});
    p.copies.push_back(copy);
    if (outer == 1)
      p.traits.places.push_back(static_cast<std::size_t>(offset) * size_of(c.type(0)));
    offset += part;
  }
  return p;
}

/// The part of the wanted elements that comes from this input; none is an empty interval.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (axis != concat_axis(c)) return wanted;
  std::int64_t start = 0;
  for (std::size_t i = 0; i < input; ++i) start += c.dims(i)[axis];
  const interval own{std::max<std::int64_t>(wanted.first - start, 0),
                     std::min(wanted.last - start, c.dims(input)[axis] - 1)};
  return own.first <= own.last ? own : interval{};
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit || split[0] == concat_axis(c)) return std::nullopt;
  for (const int axis : split)
    if (axis != split[0]) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def concat{
    .name = "Concat",
    .max_inputs = -1,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = copy_kernels<plan>,
};

} // namespace shoal::operators
