#include "kernels/reference/select_along.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

int sorted_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", -1);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

/// An attribute up to opset 9, an input from 10 on.
result<std::int64_t> count_of(const node_context& c) {
  if (c.node.opset < 10) return c.attrs().get_int("k", 0);
  SHOAL_TRY(const auto k, arguments::constant_ints(c, 1, "K"));
  if (k.size() != 1)
    return arguments::refuse(c, errc::malformed, "K has {} elements, expected one", k.size());
  return k[0];
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", -1), c.dims(0).rank()));
  SHOAL_TRY(const auto k, count_of(c));
  shape out = c.dims(0);
  if (k < 0 || k > out[axis])
    return arguments::refuse(c, errc::invalid_argument,
                             "K is {}, but axis {} of {} has {} elements", k, axis, to_string(out),
                             out[axis]);
  out[axis] = k;
  return std::vector<tensor_type>{{c.type(0), out}, {dtype::i64, out}};
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const int axis = sorted_axis(c);
  const auto& dims = c.dims(0);
  const reference::axis_extents extents{dims.element_count(0, axis), dims[axis],
                                        dims.element_count(axis + 1, dims.rank())};
  const auto k = c.outputs[0].dims[axis];
  const bool largest = c.attrs().get_int("largest", 1) != 0;
  return function_kernel(
      [=](const kernel_io& io) {
        auto* indices = io.outputs.size() > 1 ? io.outputs[1].as<std::int64_t>() : nullptr;
        reference::top_k(largest, k, extents, io.inputs[0], io.outputs[0], indices,
                         reinterpret_cast<std::int64_t*>(io.scratch));
      },
      {.scratch_bytes = static_cast<std::size_t>(extents.axis) * sizeof(std::int64_t)});
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis == sorted_axis(c)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] == unsplit || split[0] == sorted_axis(c)) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def topk{
    .name = "TopK",
    .max_inputs = 2,
    .max_outputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
