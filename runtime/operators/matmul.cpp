#include "kernels/cpu/matmul.hpp"

#include "kernels/reference/matmul.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

using arguments::refuse;

/// A product in NumPy's sense, the missing axes of vectors put in. Only FusedMatMul has transA,
/// transB and alpha.
struct product {
  shape a_batch, b_batch; ///< of the same rank
  shape batch;            ///< both, broadcast to each other
  std::int64_t rows = 1, columns = 1, length = 0, b_length = 0;
  bool row_axis = true, column_axis = true; ///< false for vectors
  bool transpose_a = false, transpose_b = false;
};

product product_of(const node_context& c) {
  const auto &a = c.dims(0), &b = c.dims(1);
  product p;
  p.row_axis = a.rank() > 1;
  p.column_axis = b.rank() > 1;
  p.transpose_a = p.row_axis && c.attrs().get_int("transA", 0) != 0;
  p.transpose_b = p.column_axis && c.attrs().get_int("transB", 0) != 0;
  if (p.row_axis) p.rows = a[a.rank() - (p.transpose_a ? 1 : 2)];
  p.length = a[a.rank() - (p.transpose_a ? 2 : 1)];
  if (p.column_axis) p.columns = b[b.rank() - (p.transpose_b ? 2 : 1)];
  p.b_length = b[b.rank() - (p.column_axis && !p.transpose_b ? 2 : 1)];
  const int axes = std::max({a.rank() - 2, b.rank() - 2, 0});
  for (int i = 0; i < axes; ++i) {
    const int in_a = i - axes + a.rank() - 2, in_b = i - axes + b.rank() - 2;
    p.a_batch.push_back(in_a < 0 ? 1 : a[in_a]);
    p.b_batch.push_back(in_b < 0 ? 1 : b[in_b]);
    p.batch.push_back(p.a_batch[i] == 1 ? p.b_batch[i] : p.a_batch[i]);
  }
  return p;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0,
                                     {dtype::f32, dtype::f64, dtype::f16, dtype::bf16, dtype::i32,
                                      dtype::i64, dtype::u32, dtype::u64}));
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  for (const std::size_t i : {0, 1})
    if (c.dims(i).rank() == 0)
      return refuse(c, errc::invalid_argument, "input {}: expected a vector or more, got a scalar",
                    i);
  auto p = product_of(c);
  if (p.length != p.b_length)
    return refuse(c, errc::invalid_argument, "A {} and B {}: inner extents {} and {} differ",
                  to_string(c.dims(0)), to_string(c.dims(1)), p.length, p.b_length);
  for (int i = 0; i < p.batch.rank(); ++i)
    if (p.a_batch[i] != p.b_batch[i] && p.a_batch[i] != 1 && p.b_batch[i] != 1)
      return refuse(c, errc::invalid_argument, "A {} and B {}: batches cannot be broadcast",
                    to_string(c.dims(0)), to_string(c.dims(1)));
  shape y = p.batch;
  if (p.row_axis) y.push_back(p.rows);
  if (p.column_axis) y.push_back(p.columns);
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, y.span()));
  return arguments::one_output(c.type(0), checked);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {2.0 * static_cast<double>(product_of(c).length) *
              static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

/// The axis of Y that `axis` of an input runs along; nullopt for the inner axis and where the
/// input is repeated.
std::optional<int> followed_axis(const node_context& c, std::size_t input, int axis) {
  const auto p = product_of(c);
  const int rank = c.dims(input).rank(), batch_axes = p.batch.rank();
  if (rank == 1) return std::nullopt;
  if (axis < rank - 2) {
    const int out = axis + batch_axes - (rank - 2);
    if (c.dims(input)[axis] == 1 && p.batch[out] != 1) return std::nullopt;
    return out;
  }
  const bool transposed = input == 0 ? p.transpose_a : p.transpose_b;
  const bool last = axis == rank - 1;
  if (input == 0) return last == transposed ? std::optional(batch_axes) : std::nullopt;
  if (last == transposed) return std::nullopt;
  return batch_axes + (p.row_axis ? 1 : 0);
}

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  for (int own = 0; own < c.dims(input).rank(); ++own)
    if (followed_axis(c, input, own) == axis) return own;
  return std::nullopt;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!input_axis(c, input, axis)) return std::nullopt;
  return wanted;
}

/// Along rows (A alone) or an axis of the batch (every operand that has it). By columns would be
/// possible, but a part with few of them is summed in another order.
std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit && split[1] == unsplit) return unsplit;
  std::optional<int> out;
  for (const std::size_t i : {0, 1}) {
    if (split[i] == unsplit) continue;
    const auto followed = followed_axis(c, i, split[i]);
    if (!followed || (out && *out != *followed)) return std::nullopt;
    out = followed;
  }
  const auto p = product_of(c);
  if (*out > p.batch.rank() || (*out == p.batch.rank() && split[1] != unsplit)) return std::nullopt;
  if (*out < p.batch.rank())
    for (const std::size_t i : {0, 1}) // a whole operand must not have that axis
      if (split[i] == unsplit && (i == 0 ? p.a_batch : p.b_batch)[*out] != 1) return std::nullopt;
  return out;
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  const auto p = product_of(c);
  using addend = kernels::matmul_problem::addend;
  auto k = kernels::make_matmul({.a_batch = p.a_batch,
                                 .b_batch = p.b_batch,
                                 .rows = p.rows,
                                 .columns = p.columns,
                                 .length = p.length,
                                 .transpose_a = p.transpose_a,
                                 .transpose_b = p.transpose_b,
                                 .alpha = c.attrs().get_float("alpha", 1),
                                 .added = c.has(2) ? addend::row : addend::none,
                                 .constant_b = c.inputs[1].constant != nullptr},
                                c.threads);
  if (k == nullptr) return nullptr;
  SHOAL_CHECK(pack_constant(*k, c));
  return k;
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  const auto p = product_of(c);
  const reference::gemm_options options{.transpose_a = p.transpose_a,
                                        .transpose_b = p.transpose_b,
                                        .alpha = c.attrs().get_float("alpha", 1)};
  return function_kernel([options](const kernel_io& io) {
    reference::matmul(io.inputs[0], io.inputs[1], io.outputs[0], options);
  });
}

/// Transposing batches is rare enough to be left to a Transpose node.
result<void> check_fused(const graph_node& node) {
  for (const auto* name : {"transBatchA", "transBatchB"})
    if (node.attrs.get_int(name, 0) != 0)
      return node_error(node, errc::unsupported, fmt::format("attribute {} is set", name));
  return {};
}

/// What BiasedMatMul takes: a matrix of weights, and a row as long as its own.
result<std::vector<tensor_type>> infer_biased(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_TRY(auto types, infer(c));
  SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
  if (c.dims(1).rank() != 2)
    return refuse(c, errc::invalid_argument, "input 1: expected a matrix, got {}",
                  to_string(c.dims(1)));
  if (c.dims(2) != shape{c.dims(1)[1]})
    return refuse(c, errc::invalid_argument, "input 2: expected [{}], got {}", c.dims(1)[1],
                  to_string(c.dims(2)));
  return types;
}

operator_cost biased_cost(const node_context& c, std::span<const tensor_type> outputs) {
  auto sum = cost(c, outputs);
  sum.flops += static_cast<double>(outputs[0].dims.element_count());
  return sum;
}

/// The row that is added has the columns alone.
std::optional<int> biased_axis(const node_context& c, std::size_t input, int axis) {
  if (input != 2) return input_axis(c, input, axis);
  const int columns = product_of(c).batch.rank() + (c.dims(0).rank() > 1 ? 1 : 0);
  if (axis != columns) return std::nullopt;
  return 0;
}

std::optional<interval> biased_field(const node_context& c, std::size_t input, int axis,
                                     interval wanted) {
  if (!biased_axis(c, input, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split_biased(const node_context& c, std::span<const int> split) {
  if (split[2] != unsplit) return std::nullopt;
  return split_axis(c, split);
}

result<std::unique_ptr<kernel>> prepare_biased_reference(const prepare_context&) {
  return function_kernel([](const kernel_io& io) {
    const auto& y = io.outputs[0];
    reference::matmul(io.inputs[0], io.inputs[1], y, {});
    const auto columns = io.inputs[2].element_count();
    for (std::int64_t i = 0; i < y.element_count(); ++i)
      y.as<float>()[i] += io.inputs[2].as<float>()[i % columns];
  });
}

constexpr kernel_entry biased_kernels[] = {{"onednn", prepare_onednn},
                                           {"reference", prepare_biased_reference}};

constexpr kernel_entry matmul_kernels[] = {{"onednn", prepare_onednn},
                                           {"reference", prepare_reference}};

} // namespace

const operator_def matmul{
    .name = "MatMul",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = matmul_kernels,
};

const operator_def fused_matmul{
    .name = "FusedMatMul",
    .domain = "com.microsoft",
    .min_inputs = 2,
    .max_inputs = 2,
    .check = check_fused,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = matmul_kernels,
};

/// A B + C with a row C: what a graph rewrite makes of a linear layer.
const operator_def biased_matmul{
    .name = "BiasedMatMul",
    .domain = "shoal",
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer_biased,
    .cost = biased_cost,
    .input_axis = biased_axis,
    .receptive_field = biased_field,
    .split_axis = split_biased,
    .kernels = biased_kernels,
};

} // namespace shoal::operators
