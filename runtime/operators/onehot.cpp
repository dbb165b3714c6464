#include "kernels/reference/convert.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <cstring>

namespace shoal::operators {
namespace {

/// The new axis, of `depth` elements, in the output.
int new_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", -1);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() + 1 : axis);
}

std::int64_t element_as_int(const const_view& v, std::int64_t i) {
  return visit_dtype(v.type, [&]<class T>(std::type_identity<T>) {
    return reference::convert<std::int64_t>(v.as<T>()[i]);
  });
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto& indices = c.dims(0);
  if (c.dims(1).element_count() != 1 || c.dims(2).element_count() != 2)
    return arguments::refuse(c, errc::malformed, "expected one depth and two values, got {} and {}",
                             to_string(c.inputs[1].type), to_string(c.inputs[2].type));
  if (c.inputs[1].constant == nullptr)
    return arguments::refuse(c, errc::needs_values,
                             "the depth depends on values that are known only while running");
  SHOAL_TRY(const int axis,
            arguments::axis_of(c, c.attrs().get_int("axis", -1), indices.rank() + 1));
  std::vector<std::int64_t> out(indices.begin(), indices.end());
  out.insert(out.begin() + axis, element_as_int(*c.inputs[1].constant, 0));
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out));
  return arguments::one_output(c.type(2), dims);
}

/// Indices out of range light nothing.
void one_hot(int axis, const const_view& indices, const const_view& values, const view& out) {
  const auto size = size_of(values.type);
  const auto depth = out.dims[axis];
  const auto inner = out.dims.element_count(axis + 1, out.dims.rank());
  const auto* off = values.as<std::byte>();
  for (std::int64_t i = 0; i < out.element_count(); ++i) {
    const auto index = element_as_int(indices, i / (depth * inner) * inner + i % inner);
    const bool on = i / inner % depth == (index < 0 ? index + depth : index);
    std::memcpy(out.as<std::byte>() + static_cast<std::size_t>(i) * size, on ? off + size : off,
                size);
  }
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  return function_kernel([axis = new_axis(c)](const kernel_io& io) {
    one_hot(axis, io.inputs[0], io.inputs[2], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  if (input != 0 || axis == new_axis(c)) return std::nullopt;
  return axis < new_axis(c) ? axis : axis - 1;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!input_axis(c, input, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] == unsplit) return std::nullopt;
  return split[0] + (split[0] >= new_axis(c) ? 1 : 0);
}

} // namespace

const operator_def onehot{
    .name = "OneHot",
    .first_opset = 9,
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
