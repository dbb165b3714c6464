#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

/// What is taken along one axis: `count` elements from `start` on, `step` apart.
struct range {
  std::int64_t start = 0, step = 1, count = 0;
};

range clamped(std::int64_t start, std::int64_t end, std::int64_t step, std::int64_t extent) {
  const std::int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
  const auto bound = [&](std::int64_t at) {
    return std::clamp(at < 0 ? at + extent : at, lowest, highest);
  };
  range r{bound(start), step, 0};
  const auto stop = bound(end);
  // Written so that steps near the limits of the type do not overflow.
  if (step > 0 && stop > r.start) r.count = (stop - r.start - 1) / step + 1;
  if (step < 0 && stop < r.start) r.count = (stop - r.start + 1) / step + 1;
  return r;
}

result<std::vector<range>> ranges(const node_context& c) {
  const auto& dims = c.dims(0);
  SHOAL_TRY(const auto starts, arguments::ints(c, 1, "starts"));
  SHOAL_TRY(const auto ends, arguments::ints(c, 2, "ends"));
  SHOAL_TRY(auto axes, arguments::ints(c, 3, "axes"));
  SHOAL_TRY(auto steps, arguments::ints(c, 4, "steps"));
  if (axes.empty())
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  if (steps.empty()) steps.assign(starts.size(), 1);
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    return arguments::refuse(c, errc::malformed, "{} starts, {} ends, {} axes and {} steps",
                             starts.size(), ends.size(), axes.size(), steps.size());
  SHOAL_CHECK(arguments::axes_of(c, axes, dims.rank())); // no axis twice
  std::vector<range> all;
  for (const auto extent : dims) all.push_back({0, 1, extent});
  for (std::size_t i = 0; i < starts.size(); ++i) {
    SHOAL_TRY(const int axis, arguments::axis_of(c, axes[i], dims.rank()));
    if (steps[i] == 0) return arguments::refuse(c, errc::malformed, "a step is 0");
    all[static_cast<std::size_t>(axis)] = clamped(starts[i], ends[i], steps[i], dims[axis]);
  }
  return all;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto all, ranges(c));
  shape out;
  for (const auto& r : all) out.push_back(r.count);
  return arguments::one_output(c.type(0), out);
}

copy_plan plan(const prepare_context& c) {
  const auto all = *ranges(c); // inferred before, so it holds
  const auto from = c.dims(0).dense_strides(), to = c.outputs[0].dims.dense_strides();
  element_copy copy;
  for (int axis = 0; axis < c.dims(0).rank(); ++axis) {
    const auto& r = all[static_cast<std::size_t>(axis)];
    // An axis of one element takes no step, however large it is.
    copy.nest.push(r.count, {r.count > 1 ? from[axis] * r.step : 0, to[axis]});
    copy.from_offset += from[axis] * r.start;
  }
  return {.copies = {copy}};
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto all = ranges(c);
  if (input != 0 || !all) return std::nullopt;
  const auto& r = (*all)[static_cast<std::size_t>(axis)];
  const auto a = r.start + wanted.first * r.step, b = r.start + wanted.last * r.step;
  return interval{std::min(a, b), std::max(a, b)};
}

/// Along axes that are taken whole; a part of such an axis is taken whole too.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto all = ranges(c);
  if (!all || split[0] == unsplit) return std::nullopt;
  const auto& r = (*all)[static_cast<std::size_t>(split[0])];
  if (r.start != 0 || r.step != 1 || r.count != c.dims(0)[split[0]]) return std::nullopt;
  return split[0];
}

} // namespace

/// Attributes up to opset 9, inputs from 10 on.
const operator_def slice{
    .name = "Slice",
    .max_inputs = 5,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = copy_kernels<plan>,
};

} // namespace shoal::operators
