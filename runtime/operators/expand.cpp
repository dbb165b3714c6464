#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

/// The wanted shape and that of the input are broadcast to each other.
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto extents, arguments::constant_ints(c, 1, "shape"));
  SHOAL_TRY(const auto wanted, arguments::checked_shape(c, extents));
  SHOAL_TRY(const auto dims, arguments::broadcast(c, c.dims(0), wanted));
  return arguments::one_output(c.type(0), dims);
}

copy_plan plan(const prepare_context& c) {
  const auto& out = c.outputs[0].dims;
  const auto from = broadcast_strides(c.dims(0), out), to = out.dense_strides();
  element_copy copy;
  for (int axis = 0; axis < out.rank(); ++axis) copy.nest.push(out[axis], {from[axis], to[axis]});
  return {.copies = {copy}};
}

/// Counted from the right.
std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  const auto types = c.node.definition->infer(c);
  if (input != 0 || !types) return std::nullopt;
  const int own = axis - ((*types)[0].dims.rank() - c.dims(0).rank());
  if (own < 0) return std::nullopt;
  return own;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto own = input_axis(c, input, axis);
  if (!own) return std::nullopt;
  return c.dims(0)[*own] == 1 ? interval{0, 0} : wanted;
}

/// Along an axis whose extent is the input's own, and for which the shape asks 1.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto wanted = arguments::constant_ints(c, 1, "shape");
  if (!wanted || split[0] == unsplit || c.dims(0)[split[0]] == 1) return std::nullopt;
  const auto rank = std::max(c.dims(0).rank(), static_cast<int>(wanted->size()));
  const int axis = split[0] + rank - c.dims(0).rank();
  const int in_wanted = axis - (rank - static_cast<int>(wanted->size()));
  if (in_wanted >= 0 && (*wanted)[static_cast<std::size_t>(in_wanted)] != 1) return std::nullopt;
  return axis;
}

} // namespace

const operator_def expand{
    .name = "Expand",
    .first_opset = 8,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split,
    .kernels = copy_kernels<plan>,
};

} // namespace shoal::operators
