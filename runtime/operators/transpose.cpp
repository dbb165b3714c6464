#include "runtime/operators/arguments.hpp"
#include "runtime/operators/copy_kernels.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

/// The axis of the input that becomes axis `axis` of the output. Reversed unless `perm` is given.
int source_axis(const node_context& c, int axis) {
  const auto perm = c.attrs().get_ints("perm");
  return perm.empty() ? c.dims(0).rank() - 1 - axis
                      : static_cast<int>(perm[static_cast<std::size_t>(axis)]);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto& dims = c.dims(0);
  const auto perm = c.attrs().get_ints("perm");
  if (!perm.empty()) {
    if (static_cast<int>(perm.size()) != dims.rank())
      return arguments::refuse(c, errc::malformed, "perm has {} entries for the input {}",
                               perm.size(), to_string(dims));
    for (int axis = 0; axis < dims.rank(); ++axis)
      if (std::count(perm.begin(), perm.end(), axis) != 1)
        return arguments::refuse(c, errc::malformed, "perm does not name axis {} exactly once",
                                 axis);
  }
  shape out;
  for (int axis = 0; axis < dims.rank(); ++axis) out.push_back(dims[source_axis(c, axis)]);
  return arguments::one_output(c.type(0), out);
}

copy_plan plan(const prepare_context& c) {
  const auto& out = c.outputs[0].dims;
  const auto from = c.dims(0).dense_strides(), to = out.dense_strides();
  element_copy copy;
  for (int axis = 0; axis < out.rank(); ++axis)
    copy.nest.push(out[axis], {from[source_axis(c, axis)], to[axis]});
  return {.copies = {copy}};
}

std::optional<int> input_axis(const node_context& c, std::size_t, int axis) {
  return source_axis(c, axis);
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  for (int axis = 0; axis < c.dims(0).rank(); ++axis)
    if (source_axis(c, axis) == split[0]) return axis;
  return std::nullopt;
}

} // namespace

const operator_def transpose{
    .name = "Transpose",
    .infer = infer,
    .input_axis = input_axis,
    .receptive_field = rules::pointwise_field,
    .split_axis = split,
    .kernels = copy_kernels<plan>,
};

} // namespace shoal::operators
