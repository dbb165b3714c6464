#include "runtime/operators/broadcast_rules.hpp"

#include "kernels/broadcast.hpp"
#include "runtime/operators/arguments.hpp"

#include <algorithm>

namespace shoal::rules {

result<shape> broadcast_shape(const node_context& c) {
  shape dims = c.dims(0);
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    SHOAL_TRY(dims, arguments::broadcast(c, dims, c.dims(i)));
  }
  return dims;
}

result<std::vector<tensor_type>> broadcast_infer(const node_context& c) {
  for (std::size_t i = 1; i < c.inputs.size(); ++i)
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
  SHOAL_TRY(const auto dims, broadcast_shape(c));
  return arguments::one_output(c.type(0), dims);
}

std::optional<int> broadcast_axis(const node_context& c, std::size_t input, int axis) {
  int rank = 0;
  for (const auto& operand : c.inputs) rank = std::max(rank, operand.type.dims.rank());
  const int own = axis - (rank - c.dims(input).rank());
  if (own < 0) return std::nullopt;
  return own;
}

std::optional<interval> broadcast_field(const node_context& c, std::size_t input, int axis,
                                        interval wanted) {
  const auto own = broadcast_axis(c, input, axis);
  if (!own) return std::nullopt;
  return c.dims(input)[*own] == 1 ? interval{0, 0} : wanted;
}

std::optional<int> broadcast_split(const node_context& c, std::span<const int> split) {
  int rank = 0, from_right = 0;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    rank = std::max(rank, c.dims(i).rank());
    if (split[i] == unsplit) continue;
    const int at = c.dims(i).rank() - split[i];
    if (from_right != 0 && from_right != at) return std::nullopt;
    from_right = at;
  }
  if (from_right == 0) return std::nullopt;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    const int own = c.dims(i).rank() - from_right;
    if (split[i] == unsplit && own >= 0 && c.dims(i)[own] != 1) return std::nullopt;
  }
  return rank - from_right;
}

namespace {

/// The first layout other than plain that an input as large as the output comes in. A plain one
/// beside it is reordered: a convolution reads what comes out, more likely than not, and the plain
/// one may be the first of a whole chain of residuals.
layout common_layout(const prepare_context& c) {
  const auto& out = c.outputs[0].dims;
  auto common = layout::plain;
  bool differ = false;
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (c.dims(i) != out) continue;
    const auto format = c.input_layouts[i];
    if (common == layout::plain) common = format;
    differ = differ || format != common;
  }
  const bool reorders_are_cheap =
      std::ranges::all_of(c.inputs, [](const operand& o) { return size_of(o.type.type) == 4; });
  return differ && !reorders_are_cheap ? layout::plain : common;
}

} // namespace

kernel_traits broadcast_layouts(const prepare_context& c) {
  const auto& out = c.outputs[0].dims;
  const auto common = common_layout(c);
  if (common == layout::plain) return {};
  kernel_traits traits{.output = common};
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (!broadcasts_in(c.dims(i), out, common)) return {};
    // One value per channel lies in a blocked layout as it does in a plain one.
    const bool per_channel = c.dims(i).rank() == out.rank() && c.dims(i)[1] == out[1];
    const bool as_it_comes = per_channel && c.input_layouts[i] == common;
    traits.inputs.push_back(c.dims(i) == out || as_it_comes ? common : layout::plain);
  }
  return traits;
}

} // namespace shoal::rules
