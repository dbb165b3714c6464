#include "kernels/reference/index_elements.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"

namespace shoal::operators {
namespace {

int gather_axis(const node_context& c) {
  const auto axis = c.attrs().get_int("axis", 0);
  return static_cast<int>(axis < 0 ? axis + c.dims(0).rank() : axis);
}

result<std::vector<tensor_type>> infer_elements(const node_context& c) {
  const auto &data = c.dims(0), &indices = c.dims(1);
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i32, dtype::i64}));
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", 0), data.rank()));
  bool fits = indices.rank() == data.rank();
  for (int a = 0; fits && a < data.rank(); ++a) fits = a == axis || indices[a] <= data[a];
  if (!fits)
    return arguments::refuse(c, errc::invalid_argument, "indices {} do not fit data {}",
                             to_string(indices), to_string(data));
  return arguments::one_output(c.type(0), indices);
}

result<std::unique_ptr<kernel>> prepare_elements(const prepare_context& c) {
  return function_kernel([axis = gather_axis(c)](const kernel_io& io) {
    reference::gather_elements(axis, io.inputs[0], io.inputs[1], io.outputs[0]);
  });
}

constexpr kernel_entry elements_kernels[] = {{"reference", prepare_elements}};

std::optional<interval> field_elements(const node_context& c, std::size_t input, int axis,
                                       interval wanted) {
  if (input == 0 && axis == gather_axis(c)) return std::nullopt;
  return wanted;
}

/// Both are cut alike, where the indices reach over the whole of the data.
std::optional<int> split_elements(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit && split[1] == gather_axis(c)) return split[1];
  if (split[0] == unsplit || split[0] != split[1] || split[0] == gather_axis(c))
    return std::nullopt;
  if (c.dims(0)[split[0]] != c.dims(1)[split[0]]) return std::nullopt;
  return split[0];
}

int batch_axes(const node_context& c) {
  return static_cast<int>(c.attrs().get_int("batch_dims", 0));
}

result<std::vector<tensor_type>> infer_nd(const node_context& c) {
  const auto &data = c.dims(0), &indices = c.dims(1);
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i64, dtype::i32}));
  const auto batches = c.attrs().get_int("batch_dims", 0);
  bool fits =
      indices.rank() >= 1 && batches >= 0 && batches < indices.rank() && batches < data.rank();
  for (int a = 0; fits && a < batches; ++a) fits = data[a] == indices[a];
  const auto depth = fits ? indices[indices.rank() - 1] : 0;
  if (!fits || depth < 1 || batches + depth > data.rank())
    return arguments::refuse(c, errc::invalid_argument,
                             "indices {} with {} batch dimensions do not fit data {}",
                             to_string(indices), batches, to_string(data));
  std::vector<std::int64_t> out(indices.begin(), indices.end() - 1);
  out.insert(out.end(), data.begin() + batches + depth, data.end());
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out));
  return arguments::one_output(c.type(0), dims);
}

result<std::unique_ptr<kernel>> prepare_nd(const prepare_context& c) {
  return function_kernel([batches = batch_axes(c)](const kernel_io& io) {
    reference::gather_nd(batches, io.inputs[0], io.inputs[1], io.outputs[0]);
  });
}

constexpr kernel_entry nd_kernels[] = {{"reference", prepare_nd}};

std::optional<interval> field_nd(const node_context& c, std::size_t input, int axis,
                                 interval wanted) {
  const bool of_indices = input == 1 && axis < c.dims(1).rank() - 1;
  if (axis < batch_axes(c) || of_indices) return wanted;
  return std::nullopt;
}

/// The indices are cut, along any of their axes but the last; the data with them in a batch axis.
std::optional<int> split_nd(const node_context& c, std::span<const int> split) {
  if (split[1] == unsplit || split[1] == c.dims(1).rank() - 1) return std::nullopt;
  const bool batch = split[1] < batch_axes(c);
  if (split[0] != (batch ? split[1] : unsplit)) return std::nullopt;
  return split[1];
}

} // namespace

const operator_def gather_elements{
    .name = "GatherElements",
    .first_opset = 11,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer_elements,
    .receptive_field = field_elements,
    .split_axis = split_elements,
    .kernels = elements_kernels,
};

const operator_def gather_nd{
    .name = "GatherND",
    .first_opset = 11,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer_nd,
    .receptive_field = field_nd,
    .split_axis = split_nd,
    .kernels = nd_kernels,
};

} // namespace shoal::operators
