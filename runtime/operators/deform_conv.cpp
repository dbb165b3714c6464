#include "kernels/reference/deformable_convolution.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

using arguments::refuse;

result<reference::deformable_problem> problem_of(const node_context& c) {
  const auto &x = c.dims(0), &w = c.dims(1);
  if (x.rank() != 4 || w.rank() != 4)
    return refuse(c, errc::unsupported,
                  "X {} and W {}: deformable convolutions over two axes are supported",
                  to_string(x), to_string(w));
  const shape kernel{w[2], w[3]};
  if (const auto given = c.attrs().get_ints("kernel_shape");
      !given.empty() && (given.size() > 2 || shape(given) != kernel))
    return refuse(c, errc::invalid_argument, "kernel_shape is not that of W {}", to_string(w));
  reference::deformable_problem p;
  SHOAL_TRY(p.at, rules::read_window(c, kernel));
  p.groups = c.attrs().get_int("group", 1);
  p.offset_groups = c.attrs().get_int("offset_group", 1);
  if (p.groups < 1 || w[0] % p.groups != 0 || x[1] % p.groups != 0 || x[1] / p.groups != w[1])
    return refuse(c, errc::invalid_argument, "X {} and W {} do not fit {} groups", to_string(x),
                  to_string(w), p.groups);
  if (p.offset_groups < 1 || x[1] % p.offset_groups != 0)
    return refuse(c, errc::invalid_argument, "X {} does not fit {} groups of offsets", to_string(x),
                  p.offset_groups);
  return p;
}

result<void> expect_dims(const node_context& c, std::size_t i, const shape& expected) {
  if (!c.has(i) || c.dims(i) == expected) return {};
  return refuse(c, errc::invalid_argument, "input {}: expected {}, got {}", i, to_string(expected),
                to_string(c.dims(i)));
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  for (std::size_t i = 1; i < c.inputs.size(); ++i)
    if (c.has(i)) SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
  SHOAL_TRY(const auto p, problem_of(c));
  const auto& w = c.dims(1);
  SHOAL_TRY(const auto y, rules::slid_extents(c, p.at, w[0]));
  const std::int64_t taps[] = {p.offset_groups, w[2], w[3], 2};
  SHOAL_CHECK(arguments::checked_shape(c, taps));
  const auto offsets = p.offset_groups * w[2] * w[3];
  SHOAL_CHECK(expect_dims(c, 2, {y[0], 2 * offsets, y[2], y[3]}));
  SHOAL_CHECK(expect_dims(c, 3, {w[0]}));
  SHOAL_CHECK(expect_dims(c, 4, {y[0], offsets, y[2], y[3]}));
  return arguments::one_output(c.type(0), y);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto& w = c.dims(1);
  // Ten operations to interpolate, two to multiply and add.
  return {12.0 * static_cast<double>(outputs[0].dims.element_count()) *
              static_cast<double>(w.element_count(1, 4)),
          rules::operand_bytes(c, outputs)};
}

/// Offsets reach anywhere within an image. Offsets and mask are read where the output lies.
std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  const bool own = input == 2 || input == 4;
  if ((input == 0 && axis == 0) || (own && axis != 1)) return wanted;
  return std::nullopt;
}

/// Along the batch of everything that has one.
std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 0; i < split.size(); ++i) {
    const bool batched = i == 0 || i == 2 || i == 4;
    if (c.has(i) && split[i] != (batched ? 0 : unsplit)) return std::nullopt;
  }
  return 0;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto p, problem_of(c));
  return function_kernel([p](const kernel_io& io) { reference::deformable_convolution(p, io); });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def deform_conv{
    .name = "DeformConv",
    .first_opset = 19,
    .min_inputs = 3,
    .max_inputs = 5,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = kernels,
};

} // namespace shoal::operators
