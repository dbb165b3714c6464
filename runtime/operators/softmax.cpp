#include "kernels/cpu/softmax.hpp"

#include "kernels/reference/softmax.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Before opset 13, Softmax, LogSoftmax and Hardmax see their input as a matrix, cut at `axis`;
// since then they work along one axis.

namespace shoal::operators {
namespace {

constexpr int first_along_one_axis = 13;

bool flattens(const node_context& c) {
  return c.node.opset < first_along_one_axis;
}

/// The first axis that is normalised: the only one, or all from there on when `flattens`.
result<int> axis_of(const node_context& c) {
  const int rank = c.dims(0).rank();
  const auto axis = c.attrs().get_int("axis", flattens(c) ? 1 : -1);
  if (flattens(c) && axis == rank) return rank; // a matrix of single columns
  return arguments::axis_of(c, axis, rank);
}

bool is_normalised(const node_context& c, int first, int axis) {
  return flattens(c) ? axis >= first : axis == first;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(axis_of(c));
  return arguments::one_output(c.type(0), c.dims(0));
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  // Maximum, difference, exponential, sum and quotient.
  return {5.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context& c, std::size_t, int axis, interval wanted) {
  const auto first = axis_of(c);
  if (!first || is_normalised(c, *first, axis)) return std::nullopt;
  return wanted;
}

std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  const auto first = axis_of(c);
  if (!first || (split[0] != unsplit && is_normalised(c, *first, split[0]))) return std::nullopt;
  return split[0];
}

/// The input as it is normalised, along the middle axis.
struct problem {
  std::int64_t outer, axis, inner;
};

result<problem> problem_of(const node_context& c) {
  SHOAL_TRY(const int first, axis_of(c));
  const auto& x = c.dims(0);
  const int end = flattens(c) ? x.rank() : first + 1;
  return problem{x.element_count(0, first), x.element_count(first, end),
                 x.element_count(end, x.rank())};
}

result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c, bool logarithm) {
  if (c.type(0) != dtype::f32) return nullptr;
  SHOAL_TRY(const auto p, problem_of(c));
  const bool innermost = flattens(c) || *axis_of(c) == c.dims(0).rank() - 1;
  return kernels::make_softmax(p.outer, p.axis, innermost ? std::nullopt : std::optional(p.inner),
                               logarithm, c.threads);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c, bool logarithm) {
  SHOAL_TRY(const auto p, problem_of(c));
  return function_kernel([p, logarithm](const kernel_io& io) {
    reference::softmax(io.inputs[0], io.outputs[0], p.axis, p.inner, logarithm);
  });
}

template <bool logarithm>
constexpr kernel_entry softmax_kernels[] = {
    {"cpu", [](const prepare_context& c) { return prepare_cpu(c, logarithm); }},
    {"reference", [](const prepare_context& c) { return prepare_reference(c, logarithm); }}};

result<std::unique_ptr<kernel>> prepare_hardmax(const prepare_context& c) {
  SHOAL_TRY(const auto p, problem_of(c));
  return function_kernel([p](const kernel_io& io) {
    reference::hardmax(io.inputs[0], io.outputs[0], p.axis, p.inner);
  });
}

constexpr kernel_entry hardmax_kernels[] = {{"reference", prepare_hardmax}};

constexpr operator_def define(std::string_view name, int first_opset, int last_opset,
                              std::span<const kernel_entry> kernels) {
  return {.name = name,
          .first_opset = first_opset,
          .last_opset = last_opset,
          .infer = infer,
          .cost = cost,
          .receptive_field = field,
          .split_axis = split_axis,
          .kernels = kernels};
}

} // namespace

const operator_def softmax = define("Softmax", first_along_one_axis, 21, softmax_kernels<false>);
const operator_def softmax_before_13 =
    define("Softmax", 1, first_along_one_axis - 1, softmax_kernels<false>);
const operator_def log_softmax =
    define("LogSoftmax", first_along_one_axis, 21, softmax_kernels<true>);
const operator_def log_softmax_before_13 =
    define("LogSoftmax", 1, first_along_one_axis - 1, softmax_kernels<true>);

const operator_def hardmax = define("Hardmax", first_along_one_axis, 21, hardmax_kernels);
const operator_def hardmax_before_13 =
    define("Hardmax", 1, first_along_one_axis - 1, hardmax_kernels);

} // namespace shoal::operators
