#include "kernels/cpu/gather.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"

namespace shoal::operators {
namespace {

int gather_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", 0);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto &data = c.dims(0), &indices = c.dims(1);
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i32, dtype::i64}));
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", 0), data.rank()));
  std::vector<std::int64_t> out(data.begin(), data.begin() + axis);
  out.insert(out.end(), indices.begin(), indices.end());
  out.insert(out.end(), data.begin() + axis + 1, data.end());
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out));
  return arguments::one_output(c.type(0), dims);
}

template <auto Gather>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto& dims = c.dims(0);
  const int axis = gather_axis(c);
  const reference::gather_extents extents{dims.element_count(0, axis), dims[axis],
                                          dims.element_count(axis + 1, dims.rank())};
  return function_kernel([extents, size = size_of(c.type(0))](const kernel_io& io) {
    Gather(extents, size, io.inputs[0].data, io.inputs[1], io.outputs[0].data);
  });
}

constexpr kernel_entry kernels[] = {{"cpu", prepare<kernels::gather>},
                                    {"reference", prepare<reference::gather>}};

/// The axes of the indices stand in the place of the one gathered from.
std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  const int at = gather_axis(c), replaced_by = c.dims(1).rank();
  const bool before = axis < at, after = axis >= at + replaced_by;
  if (input == 0 && (before || after)) return before ? axis : axis - replaced_by + 1;
  if (input == 1 && !before && !after) return axis - at;
  return std::nullopt;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!input_axis(c, input, axis)) return std::nullopt;
  return wanted;
}

/// Either the data is cut along another axis than the one gathered from, or the indices are.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  const int axis = gather_axis(c);
  if (split[0] == unsplit) return axis + split[1];
  if (split[1] != unsplit || split[0] == axis) return std::nullopt;
  return split[0] < axis ? split[0] : split[0] - 1 + c.dims(1).rank();
}

} // namespace

const operator_def gather{
    .name = "Gather",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
