#include "kernels/cpu/pad.hpp"

#include "kernels/reference/convert.hpp"
#include "kernels/reference/pad.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

constexpr std::int64_t max_pad = std::int64_t{1} << 40;

result<pad_mode> mode_of(const graph_node& node) {
  const auto mode = node.attrs.get_string("mode", "constant");
  if (mode == "constant") return pad_mode::constant;
  if (mode == "reflect") return pad_mode::reflect;
  if (mode == "edge") return pad_mode::edge;
  if (mode == "wrap") return pad_mode::wrap;
  return node_error(node, errc::malformed,
                    fmt::format("mode is '{}', expected constant, reflect, edge or wrap", mode));
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(mode_of(node));
  return {};
}

/// Elements added (taken away, if negative) before and after each axis.
struct padding {
  shape begin, end;
};

/// An attribute up to opset 10, an input from 11 on; of all axes, or since 18 of those named.
result<padding> padding_of(const node_context& c) {
  const int rank = c.dims(0).rank();
  SHOAL_TRY(const auto pads, arguments::ints(c, 1, "pads"));
  std::vector<std::int64_t> axes;
  if (c.has(3)) {
    SHOAL_TRY(axes, arguments::constant_ints(c, 3, "axes"));
    SHOAL_CHECK(arguments::axes_of(c, axes, rank)); // no axis twice
  } else {
    for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  if (pads.size() != 2 * axes.size())
    return arguments::refuse(c, errc::malformed, "{} pads for {} axes of {}", pads.size(),
                             axes.size(), to_string(c.dims(0)));
  padding p{shape::filled(rank, 0), shape::filled(rank, 0)};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    SHOAL_TRY(const int axis, arguments::axis_of(c, axes[i], rank));
    p.begin[axis] = pads[i];
    p.end[axis] = pads[i + axes.size()];
    if (std::abs(p.begin[axis]) > max_pad || std::abs(p.end[axis]) > max_pad)
      return arguments::refuse(c, errc::malformed, "pads of {} and {} are absurd", p.begin[axis],
                               p.end[axis]);
  }
  return p;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto mode, mode_of(c.node));
  SHOAL_TRY(const auto p, padding_of(c));
  if (c.has(2)) {
    SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
    if (c.dims(2).element_count() != 1)
      return arguments::refuse(c, errc::malformed, "the value is {}, expected a scalar",
                               to_string(c.inputs[2].type));
  }
  shape out = c.dims(0);
  for (int axis = 0; axis < out.rank(); ++axis) {
    if (mode != pad_mode::constant && out[axis] == 0 && (p.begin[axis] > 0 || p.end[axis] > 0))
      return arguments::refuse(c, errc::invalid_argument, "axis {} of {} is empty: nothing to pad",
                               axis, to_string(out));
    out[axis] += p.begin[axis] + p.end[axis];
  }
  SHOAL_TRY(out, arguments::checked_shape(c, out.span()));
  return arguments::one_output(c.type(0), out);
}

using pad_function = void (*)(std::size_t, const pad_tables&, const void*, const void*, void*);

template <pad_function Pad>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto mode = *mode_of(c.node); // inferred before, so both hold
  const auto p = *padding_of(c);
  pad_tables tables{c.dims(0), c.outputs[0].dims, {}};
  if (tables.in.rank() == 0) { // one element, nothing to pad
    tables.in = tables.out = {1};
    tables.source = {{0}};
  }
  for (int axis = 0; axis < c.dims(0).rank(); ++axis)
    tables.source.push_back(pad_table(mode, c.dims(0)[axis], p.begin[axis], p.end[axis]));
  const auto fallback = reference::scalar(
      c.type(0), c.node.opset < 11 ? static_cast<double>(c.attrs().get_float("value", 0)) : 0);
  return function_kernel([size = size_of(c.type(0)), tables, fallback](const kernel_io& io) {
    const bool given = io.inputs.size() > 2 && io.inputs[2].data != nullptr;
    Pad(size, tables, io.inputs[0].data, given ? io.inputs[2].data : fallback.data(),
        io.outputs[0].data);
  });
}

constexpr kernel_entry kernels[] = {{"cpu", prepare<kernels::pad>},
                                    {"reference", prepare<reference::pad>}};

/// From the lowest to the highest source of the wanted elements; empty if all are the constant.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto mode = mode_of(c.node);
  const auto p = padding_of(c);
  if (input != 0 || !mode || !p) return std::nullopt;
  const auto table = pad_table(*mode, c.dims(0)[axis], p->begin[axis], p->end[axis]);
  interval read{INT64_MAX, -1};
  for (auto i = wanted.first; i <= wanted.last; ++i) {
    const auto source = table[static_cast<std::size_t>(i)];
    if (source < 0) continue;
    read.first = std::min(read.first, source);
    read.last = std::max(read.last, source);
  }
  return read.last < 0 ? interval{} : read;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto p = padding_of(c);
  if (!p || split[0] == unsplit || p->begin[split[0]] != 0 || p->end[split[0]] != 0)
    return std::nullopt;
  return split[0];
}

} // namespace

const operator_def pad{
    .name = "Pad",
    .first_opset = 2,
    .max_inputs = 4,
    .check = check,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
