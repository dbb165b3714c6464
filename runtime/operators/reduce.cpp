#include "kernels/cpu/reduce.hpp"

#include "kernels/broadcast.hpp"
#include "kernels/reference/reduce.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>
#include <numeric>

namespace shoal::operators {
namespace {

/// The axes that go: an attribute in older opsets, an input in newer ones. None given: all, unless
/// the node is told to do nothing then.
result<std::vector<int>> axes_of(const node_context& c) {
  const int rank = c.dims(0).rank();
  SHOAL_TRY(const auto given, arguments::ints(c, 1, "axes"));
  if (!given.empty()) return arguments::axes_of(c, given, rank);
  std::vector<int> axes;
  if (c.attrs().get_int("noop_with_empty_axes", 0) != 0) return axes;
  axes.resize(static_cast<std::size_t>(rank));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

bool contains(const std::vector<int>& axes, int axis) {
  return std::binary_search(axes.begin(), axes.end(), axis);
}

bool keeps_axes(const node_context& c) {
  return c.attrs().get_int("keepdims", 1) != 0;
}

template <reduction F>
result<std::vector<tensor_type>> infer(const node_context& c) {
  if (c.type(0) == dtype::boolean && F != reduction::max && F != reduction::min)
    return arguments::refuse(c, errc::invalid_argument, "expected numbers, got {}",
                             to_string(c.inputs[0].type));
  SHOAL_TRY(const auto axes, axes_of(c));
  shape out;
  for (int axis = 0; axis < c.dims(0).rank(); ++axis)
    if (!contains(axes, axis))
      out.push_back(c.dims(0)[axis]);
    else if (keeps_axes(c))
      out.push_back(1);
  return arguments::one_output(c.type(0), out);
}

/// The input as [outer][reduced][inner] if the reduced axes are neighbours (extents of 1 aside).
std::optional<kernels::reduction_extents> as_three_axes(const shape& dims,
                                                        const std::vector<int>& axes) {
  kernels::reduction_extents e{1, 1, 1};
  bool begun = false, ended = false;
  for (int axis = 0; axis < dims.rank(); ++axis) {
    if (dims[axis] == 1) continue;
    const bool reduced = contains(axes, axis);
    if (reduced && ended) return std::nullopt;
    begun = begun || reduced;
    ended = begun && !reduced;
    (reduced ? e.count : begun ? e.inner : e.outer) *= dims[axis];
  }
  return e;
}

/// Where all axes but batch and channels go, the channels may lie in any layout: one value of each
/// looks the same in all of them.
std::optional<kernels::reduction_extents> in_layout(const shape& dims, const std::vector<int>& axes,
                                                    layout format) {
  if (dims.rank() < 3 || !broadcasts_in(dims, dims, format)) return std::nullopt;
  if (axes.size() != static_cast<std::size_t>(dims.rank()) - 2 || axes[0] != 2) return std::nullopt;
  const auto count = dims.element_count(2, dims.rank());
  if (format == layout::channels_last) return kernels::reduction_extents{dims[0], count, dims[1]};
  const std::int64_t block = format == layout::blocked_8 ? 8 : 16;
  return kernels::reduction_extents{dims[0] * dims[1] / block, count, block};
}

template <reduction F>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  const auto axes = *axes_of(c); // inferred before, so it holds
  kernel_traits traits;
  std::optional<kernels::reduction_extents> extents;
  if (const auto format = c.input_layouts[0]; format != layout::plain)
    if ((extents = in_layout(c.dims(0), axes, format))) traits.inputs = {format};
  if (!extents) extents = as_three_axes(c.dims(0), axes);
  if (!extents) return nullptr;
  return function_kernel(
      [e = *extents](const kernel_io& io) {
        kernels::reduce(F, e, io.inputs[0].as<float>(), io.outputs[0].as<float>());
      },
      std::move(traits));
}

template <reduction F>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  const auto axes = *axes_of(c);
  const auto& dims = c.dims(0);
  const auto strides = dims.dense_strides();
  loop_nest kept(1), reduced(1);
  for (int axis = 0; axis < dims.rank(); ++axis)
    (contains(axes, axis) ? reduced : kept).push(dims[axis], {strides[axis]});
  return function_kernel([=](const kernel_io& io) {
    reference::reduce(F, kept, reduced, io.inputs[0], io.outputs[0]);
  });
}

template <reduction F>
constexpr kernel_entry entries[] = {{"cpu", prepare_cpu<F>}, {"reference", prepare_reference<F>}};

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto read = static_cast<double>(c.dims(0).element_count());
  const auto written = static_cast<double>(outputs[0].dims.element_count());
  return {read, (read + written) * static_cast<double>(size_of(c.type(0)))};
}

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  const auto axes = axes_of(c);
  if (input != 0 || !axes) return std::nullopt;
  int own = axis;
  if (!keeps_axes(c))
    for (const int gone : *axes) own += gone <= own ? 1 : 0;
  return own;
}

/// Pointwise along axes that stay; a reduced one is needed whole.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto axes = axes_of(c);
  if (input != 0 || !axes) return std::nullopt;
  if (keeps_axes(c) && contains(*axes, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto axes = axes_of(c);
  if (!axes || split[0] == unsplit || contains(*axes, split[0])) return std::nullopt;
  if (keeps_axes(c)) return split[0];
  return split[0] - static_cast<int>(std::count_if(axes->begin(), axes->end(),
                                                   [&](int axis) { return axis < split[0]; }));
}

template <reduction F>
constexpr operator_def definition(std::string_view name) {
  return {.name = name,
          .max_inputs = 2,
          .infer = infer<F>,
          .cost = cost,
          .input_axis = input_axis,
          .receptive_field = field,
          .split_axis = split,
          .kernels = entries<F>};
}

} // namespace

const operator_def reduce_sum = definition<reduction::sum>("ReduceSum");
const operator_def reduce_mean = definition<reduction::mean>("ReduceMean");
const operator_def reduce_max = definition<reduction::max>("ReduceMax");
const operator_def reduce_min = definition<reduction::min>("ReduceMin");
const operator_def reduce_prod = definition<reduction::prod>("ReduceProd");
const operator_def reduce_l1 = definition<reduction::l1>("ReduceL1");
const operator_def reduce_l2 = definition<reduction::l2>("ReduceL2");
const operator_def reduce_log_sum = definition<reduction::log_sum>("ReduceLogSum");
const operator_def reduce_log_sum_exp = definition<reduction::log_sum_exp>("ReduceLogSumExp");
const operator_def reduce_sum_square = definition<reduction::sum_square>("ReduceSumSquare");

} // namespace shoal::operators
