#include "kernels/cpu/matmul.hpp"
#include "kernels/reference/matmul.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

using arguments::refuse;

bool transposes_a(const node_context& c) {
  return c.attrs().get_int("transA", 0) != 0;
}
bool transposes_b(const node_context& c) {
  return c.attrs().get_int("transB", 0) != 0;
}
/// The axis of A that runs along the rows of Y, and of B along its columns.
int row_axis(const node_context& c) {
  return transposes_a(c) ? 1 : 0;
}
int column_axis(const node_context& c) {
  return transposes_b(c) ? 0 : 1;
}

/// Extent of C along axis 0 or 1 of Y; 1 when it is repeated along that axis.
std::int64_t addend_extent(const node_context& c, int axis) {
  const auto& dims = c.dims(2);
  const int own = axis - (2 - dims.rank());
  return own < 0 ? 1 : dims[own];
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0,
                                     {dtype::f32, dtype::f64, dtype::f16, dtype::bf16, dtype::i32,
                                      dtype::i64, dtype::u32, dtype::u64}));
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  for (const std::size_t i : {0, 1})
    if (c.dims(i).rank() != 2)
      return refuse(c, errc::invalid_argument, "input {}: expected a matrix, got {}", i,
                    to_string(c.dims(i)));
  const auto a_length = c.dims(0)[1 - row_axis(c)], b_length = c.dims(1)[1 - column_axis(c)];
  if (a_length != b_length)
    return refuse(c, errc::invalid_argument,
                  "A {} and B {} (transA {}, transB {}): inner extents {} and {} differ",
                  to_string(c.dims(0)), to_string(c.dims(1)), transposes_a(c), transposes_b(c),
                  a_length, b_length);
  const shape y{c.dims(0)[row_axis(c)], c.dims(1)[column_axis(c)]};
  if (c.has(2)) {
    SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
    bool fits = c.dims(2).rank() <= 2;
    for (int axis = 0; fits && axis < 2; ++axis)
      fits = addend_extent(c, axis) == 1 || addend_extent(c, axis) == y[axis];
    if (!fits)
      return refuse(c, errc::invalid_argument, "C {} cannot be broadcast to {}",
                    to_string(c.dims(2)), to_string(y));
  }
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, y.span()));
  return arguments::one_output(c.type(0), checked);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto length = static_cast<double>(c.dims(0)[1 - row_axis(c)]);
  const auto elements = static_cast<double>(outputs[0].dims.element_count());
  return {elements * (2 * length + (c.has(2) ? 1 : 0)), rules::operand_bytes(c, outputs)};
}

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  if (input == 0 && axis == 0) return row_axis(c);
  if (input == 1 && axis == 1) return column_axis(c);
  const int own = axis - (2 - c.dims(input).rank());
  if (input != 2 || own < 0) return std::nullopt;
  return own;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!input_axis(c, input, axis)) return std::nullopt;
  return input == 2 && addend_extent(c, axis) == 1 ? interval{0, 0} : wanted;
}

/// Rows of Y by rows of A; C has to be cut with them. (By columns would be possible, but a part
/// with few of them is summed in another order.)
std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  if (split[1] != unsplit || (split[0] != unsplit && split[0] != row_axis(c))) return std::nullopt;
  const int out = split[0] == unsplit ? unsplit : 0;
  if (!c.has(2)) return out;
  const bool cut = out == 0 && addend_extent(c, 0) != 1;
  if (split[2] != (cut ? 0 : unsplit)) return std::nullopt;
  return out;
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  using addend = kernels::matmul_problem::addend;
  kernels::matmul_problem p{.a_batch = {},
                            .b_batch = {},
                            .rows = c.outputs[0].dims[0],
                            .columns = c.outputs[0].dims[1],
                            .length = c.dims(0)[1 - row_axis(c)],
                            .transpose_a = transposes_a(c),
                            .transpose_b = transposes_b(c),
                            .alpha = c.attrs().get_float("alpha", 1),
                            .beta = c.attrs().get_float("beta", 1),
                            .constant_b = c.inputs[1].constant != nullptr};
  if (c.has(2)) {
    // A matrix of one row may be a part of one with many, to which a bias would be added in another
    // order.
    const bool row = c.dims(2) == shape{p.columns};
    p.added = row && p.alpha == 1 && p.beta == 1 ? addend::row : addend::any;
  }
  auto k = kernels::make_matmul(p, c.threads);
  if (k == nullptr) return nullptr;
  SHOAL_CHECK(pack_constant(*k, c));
  return k;
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  const reference::gemm_options options{
      .transpose_a = transposes_a(c),
      .transpose_b = transposes_b(c),
      .alpha = c.attrs().get_float("alpha", 1),
      .beta = c.attrs().get_float("beta", 1),
  };
  return function_kernel([options](const kernel_io& io) {
    const auto addend = io.inputs.size() > 2 ? io.inputs[2] : const_view{};
    reference::gemm(io.inputs[0], io.inputs[1], addend, io.outputs[0], options);
  });
}

constexpr kernel_entry gemm_kernels[] = {{"onednn", prepare_onednn},
                                         {"reference", prepare_reference}};

} // namespace

const operator_def gemm{
    .name = "Gemm",
    .min_inputs = 2,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = gemm_kernels,
};

} // namespace shoal::operators
