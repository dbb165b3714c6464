#include "runtime/operators/arguments.hpp"
#include "runtime/operators/fourier_rules.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

using arguments::refuse;

/// The one integer of input `i`, which must be known before the first run.
result<std::int64_t> scalar_input(const node_context& c, std::size_t i, std::string_view name) {
  SHOAL_TRY(const auto values, arguments::constant_ints(c, i, name));
  if (values.size() != 1)
    return refuse(c, errc::malformed, "input {} '{}' has {} elements, expected one", i, name,
                  values.size());
  return values[0];
}

/// An attribute up to opset 19, an input from 20 on. The last axis holds the parts of the numbers.
result<int> transformed_axis(const node_context& c) {
  std::int64_t axis = c.attrs().get_int("axis", 1);
  if (c.node.opset >= 20) {
    axis = -2;
    if (c.has(2)) {
      SHOAL_TRY(axis, scalar_input(c, 2, "axis"));
    }
  }
  SHOAL_TRY(const int at, arguments::axis_of(c, axis, c.dims(0).rank()));
  if (at == c.dims(0).rank() - 1)
    return refuse(c, errc::malformed, "axis {} holds the parts of complex numbers", axis);
  return at;
}

result<fourier_problem> problem_of(const node_context& c) {
  const auto& x = c.dims(0);
  if (x.rank() < 2 || x[x.rank() - 1] < 1 || x[x.rank() - 1] > 2)
    return refuse(c, errc::invalid_argument,
                  "input 0: expected [..,1] (real) or [..,2] (complex), got {}", to_string(x));
  SHOAL_TRY(const int axis, transformed_axis(c));
  const bool onesided = c.attrs().get_int("onesided", 0) != 0;
  fourier_problem p;
  p.inverse = c.attrs().get_int("inverse", 0) != 0;
  p.complex_in = x[x.rank() - 1] == 2;
  p.mirrored = onesided && p.inverse;
  if (onesided && p.complex_in != p.inverse)
    return refuse(c, errc::invalid_argument,
                  "onesided is for real input, or complex input and inverse; got {}", to_string(x));
  p.length = p.mirrored ? 2 * (x[axis] - 1) : x[axis];
  if (c.has(1)) {
    SHOAL_TRY(p.length, scalar_input(c, 1, "dft_length"));
  }
  SHOAL_CHECK(rules::check_transform_length(c, p.length));
  p.given = std::min(x[axis], p.mirrored ? p.length / 2 + 1 : p.length);
  p.kept = onesided && !p.inverse ? p.length / 2 + 1 : p.length;
  const std::int64_t parts_in = p.complex_in ? 2 : 1, parts_out = p.mirrored ? 1 : 2;
  p.outer = x.element_count(0, axis);
  p.inner = x.element_count(axis + 1, x.rank() - 1);
  p.source = {x[axis] * p.inner * parts_in, parts_in, p.inner * parts_in};
  p.target = {p.kept * p.inner * parts_out, parts_out, p.inner * parts_out};
  return p;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const auto p, problem_of(c));
  SHOAL_TRY(const int axis, transformed_axis(c));
  shape y = c.dims(0);
  y[axis] = p.kept;
  y[y.rank() - 1] = p.mirrored ? 1 : 2;
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, y.span()));
  return arguments::one_output(c.type(0), checked);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto p = problem_of(c);
  return p ? rules::fourier_cost(c, *p, outputs) : operator_cost{};
}

/// Signals know nothing of each other.
bool is_apart(const node_context& c, int axis) {
  const auto transformed = transformed_axis(c);
  return transformed && axis != *transformed && axis != c.dims(0).rank() - 1;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || !is_apart(c, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] != unsplit && !is_apart(c, split[0])) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def dft{
    .name = "DFT",
    .first_opset = 17,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = rules::fourier_kernels<problem_of>,
};

} // namespace shoal::operators
