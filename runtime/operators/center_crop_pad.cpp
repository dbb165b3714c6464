#include "kernels/cpu/pad.hpp"
#include "kernels/reference/pad.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>
#include <cstdint>

// Brings axes to the extents given: crops or pads with zeros, as much on either side; an odd
// element goes, or comes, at the end.

namespace shoal::operators {
namespace {

constexpr std::int64_t largest = std::int64_t{1} << 40;

result<shape> wanted_extents(const node_context& c) {
  const int rank = c.dims(0).rank();
  SHOAL_TRY(const auto extents, arguments::constant_ints(c, 1, "shape"));
  const auto given = c.attrs().get_ints("axes");
  std::vector<std::int64_t> axes(given.begin(), given.end());
  if (given.empty())
    for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
  SHOAL_CHECK(arguments::axes_of(c, axes, rank)); // no axis twice
  if (extents.size() != axes.size())
    return arguments::refuse(c, errc::malformed, "{} extents for {} axes", extents.size(),
                             axes.size());
  shape out = c.dims(0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    SHOAL_TRY(const int axis, arguments::axis_of(c, axes[i], rank));
    if (extents[i] > largest)
      return arguments::refuse(c, errc::malformed, "an extent of {} is absurd", extents[i]);
    out[axis] = extents[i];
  }
  return arguments::checked_shape(c, out.span());
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto dims, wanted_extents(c));
  return arguments::one_output(c.type(0), dims);
}

/// Elements in front of the input along an axis; negative where it is cropped.
std::int64_t shift(std::int64_t in, std::int64_t out) {
  return out < in ? -((in - out) / 2) : (out - in) / 2;
}

using pad_function = void (*)(std::size_t, const pad_tables&, const void*, const void*, void*);

template <pad_function Pad>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  pad_tables tables{c.dims(0), c.outputs[0].dims, {}};
  if (tables.in.rank() == 0) { // one element, as it is
    tables.in = tables.out = {1};
    tables.source = {{0}};
  }
  for (int axis = 0; axis < c.dims(0).rank(); ++axis) {
    const auto in = tables.in[axis], out = tables.out[axis], begin = shift(in, out);
    tables.source.push_back(pad_table(pad_mode::constant, in, begin, out - in - begin));
  }
  return function_kernel([size = size_of(c.type(0)), tables](const kernel_io& io) {
    constexpr std::uint64_t zero = 0;
    Pad(size, tables, io.inputs[0].data, &zero, io.outputs[0].data);
  });
}

constexpr kernel_entry kernels[] = {{"cpu", prepare<kernels::pad>},
                                    {"reference", prepare<reference::pad>}};

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto extents = wanted_extents(c);
  if (input != 0 || !extents) return std::nullopt;
  const auto in = c.dims(0)[axis], begin = shift(in, (*extents)[axis]);
  const interval read{std::max<std::int64_t>(wanted.first - begin, 0),
                      std::min(wanted.last - begin, in - 1)};
  return read.first > read.last ? interval{} : read;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto extents = wanted_extents(c);
  const auto axes = c.attrs().get_ints("axes");
  if (!extents || split[0] == unsplit || split[1] != unsplit) return std::nullopt;
  // A named axis would have to become another one in each part.
  for (const auto axis : axes)
    if (axis == split[0] || axis + c.dims(0).rank() == split[0]) return std::nullopt;
  if (axes.empty()) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def center_crop_pad{
    .name = "CenterCropPad",
    .first_opset = 18,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
