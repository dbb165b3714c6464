#include "kernels/cpu/arg_extremum.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"

#include <limits>

namespace shoal::operators {
namespace {

int reduced_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", 0);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

bool keeps_axes(const node_context& c) {
  return c.attrs().get_int("keepdims", 1) != 0;
}

bool takes_last(const node_context& c) {
  return c.attrs().get_int("select_last_index", 0) != 0;
}

reference::axis_extents extents_of(const node_context& c) {
  const int axis = reduced_axis(c);
  const auto& dims = c.dims(0);
  return {dims.element_count(0, axis), dims[axis], dims.element_count(axis + 1, dims.rank())};
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto& dims = c.dims(0);
  SHOAL_TRY(const int at, arguments::axis_of(c, c.attrs().get_int("axis", 0), dims.rank()));
  if (dims[at] == 0)
    return arguments::refuse(c, errc::invalid_argument, "axis {} of {} is empty", at,
                             to_string(dims));
  shape out;
  for (int axis = 0; axis < dims.rank(); ++axis)
    if (axis != at)
      out.push_back(dims[axis]);
    else if (keeps_axes(c))
      out.push_back(1);
  return arguments::one_output(dtype::i64, out);
}

template <bool Largest>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  const auto e = extents_of(c);
  if (c.type(0) != dtype::f32 || e.axis > std::numeric_limits<std::int32_t>::max()) return nullptr;
  return function_kernel([e, last = takes_last(c)](const kernel_io& io) {
    kernels::arg_extremum(Largest, last, e, io.inputs[0].as<float>(),
                          io.outputs[0].as<std::int64_t>());
  });
}

template <bool Largest>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return function_kernel([e = extents_of(c), last = takes_last(c)](const kernel_io& io) {
    reference::arg_extremum(Largest, last, e, io.inputs[0], io.outputs[0].as<std::int64_t>());
  });
}

template <bool Largest>
constexpr kernel_entry entries[] = {{"cpu", prepare_cpu<Largest>},
                                    {"reference", prepare_reference<Largest>}};

std::optional<int> input_axis(const node_context& c, std::size_t, int axis) {
  return axis + (axis >= reduced_axis(c) && !keeps_axes(c) ? 1 : 0);
}

std::optional<interval> field(const node_context& c, std::size_t, int axis, interval wanted) {
  if (axis == reduced_axis(c) && keeps_axes(c)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  const int at = reduced_axis(c);
  if (split[0] == unsplit || split[0] == at) return std::nullopt;
  return split[0] - (split[0] > at && !keeps_axes(c) ? 1 : 0);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto read = static_cast<double>(c.dims(0).element_count());
  return {read, read * static_cast<double>(size_of(c.type(0))) +
                    8 * static_cast<double>(outputs[0].dims.element_count())};
}

template <bool Largest>
constexpr operator_def definition(std::string_view name) {
  return {.name = name,
          .infer = infer,
          .cost = cost,
          .input_axis = input_axis,
          .receptive_field = field,
          .split_axis = split,
          .kernels = entries<Largest>};
}

} // namespace

const operator_def arg_max = definition<true>("ArgMax");
const operator_def arg_min = definition<false>("ArgMin");

} // namespace shoal::operators
