#include "kernels/cpu/packed_weights.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// MatMulNBits of com.microsoft with 4 bits: A [...,K] times weights in blocks of 4-bit integers.
/// Inputs: A, B [N,blocks,block_size / 2], scales, zero points, g_idx (refused), bias.
namespace shoal::operators {
namespace {

using arguments::refuse;

constexpr std::size_t zero_points = 3, order = 4, bias = 5;

result<void> check(const graph_node& node) {
  const auto bits = node.attrs.get_int("bits", 4), block = node.attrs.get_int("block_size", 0);
  if (bits != 4)
    return node_error(node, errc::unsupported, fmt::format("{} bits; 4 are supported", bits));
  if (block < 16 || block > (1 << 20) || (block & (block - 1)) != 0)
    return node_error(node, errc::malformed,
                      fmt::format("block_size is {}, expected a power of two from 16 on", block));
  if (node.inputs.size() > order && node.inputs[order] != no_value)
    return node_error(node, errc::unsupported, "g_idx is given");
  return {};
}

four_bit_weights weights_of(const node_context& c) {
  four_bit_weights w;
  w.columns = c.attrs().get_int("N", 0);
  w.length = c.attrs().get_int("K", 0);
  w.block = c.attrs().get_int("block_size", 0);
  return w;
}

result<void> expect_count(const node_context& c, std::size_t i, std::int64_t count) {
  if (c.dims(i).element_count() == count) return {};
  return refuse(c, errc::invalid_argument, "input {}: expected {} elements, got {}", i, count,
                to_string(c.dims(i)));
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  constexpr std::int64_t largest = std::int64_t{1} << 31;
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::u8}));
  SHOAL_CHECK(arguments::expect_type(c, 2, {dtype::f32}));
  const auto w = weights_of(c);
  const auto& a = c.dims(0);
  if (w.columns < 1 || w.columns > largest || w.length < 1 || w.length > largest)
    return refuse(c, errc::malformed, "weights of {} x {}", w.columns, w.length);
  if (a.rank() < 1 || a[a.rank() - 1] != w.length)
    return refuse(c, errc::invalid_argument, "A {}: expected {} as the last extent", to_string(a),
                  w.length);
  const std::int64_t stored[] = {w.columns, w.blocks(), w.block / 2};
  SHOAL_TRY(const auto b, arguments::checked_shape(c, stored));
  SHOAL_CHECK(expect_count(c, 1, b.element_count()));
  SHOAL_CHECK(expect_count(c, 2, w.columns * w.blocks()));
  if (c.has(zero_points)) {
    SHOAL_CHECK(arguments::expect_type(c, zero_points, {dtype::u8, dtype::f32}));
    const bool packed = c.type(zero_points) == dtype::u8;
    SHOAL_CHECK(
        expect_count(c, zero_points, w.columns * (packed ? (w.blocks() + 1) / 2 : w.blocks())));
  }
  if (c.has(bias)) {
    SHOAL_CHECK(arguments::expect_type(c, bias, {dtype::f32}));
    SHOAL_CHECK(expect_count(c, bias, w.columns));
  }
  shape y = a;
  y[a.rank() - 1] = w.columns;
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, y.span()));
  return arguments::one_output(dtype::f32, dims);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {2.0 * static_cast<double>(weights_of(c).length) *
              static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis == c.dims(0).rank() - 1) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 1; i < split.size(); ++i)
    if (split[i] != unsplit) return std::nullopt;
  if (split[0] == c.dims(0).rank() - 1) return std::nullopt;
  return split[0];
}

template <auto Multiply>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto& a = c.dims(0);
  const auto rows = a.element_count(0, a.rank() - 1);
  return function_kernel([rows, known = weights_of(c)](const kernel_io& io) {
    const auto input = [&](std::size_t i) {
      return i < io.inputs.size() ? io.inputs[i] : const_view{};
    };
    auto w = known;
    w.data = io.inputs[1].as<std::uint8_t>();
    w.scales = io.inputs[2].as<float>();
    const const_view zeros = input(zero_points), added = input(bias);
    if (zeros.type == dtype::u8)
      w.packed_zeros = zeros.as<std::uint8_t>();
    else
      w.zeros = zeros.as<float>();
    Multiply(io.inputs[0].as<float>(), rows, w, added.as<float>(), io.outputs[0].as<float>());
  });
}

constexpr kernel_entry kernel_list[] = {{"cpu", prepare<kernels::multiply_four_bits>},
                                        {"reference", prepare<reference::multiply_four_bits>}};

} // namespace

const operator_def matmul_nbits{
    .name = "MatMulNBits",
    .domain = "com.microsoft",
    .min_inputs = 3,
    .max_inputs = 6,
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
