#include "kernels/reference/determinant.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  const auto& x = c.dims(0);
  const int rank = x.rank();
  if (rank < 2 || x[rank - 1] != x[rank - 2])
    return arguments::refuse(c, errc::invalid_argument, "X: expected square matrices, got {}",
                             to_string(x));
  return arguments::one_output(c.type(0),
                               shape(x.span().first(static_cast<std::size_t>(rank - 2))));
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto n = static_cast<double>(c.dims(0)[c.dims(0).rank() - 1]);
  return {2.0 / 3 * n * static_cast<double>(c.dims(0).element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit || split[0] >= c.dims(0).rank() - 2) return std::nullopt;
  return split[0];
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto n = static_cast<std::size_t>(c.dims(0)[c.dims(0).rank() - 1]);
  return function_kernel(
      [](const kernel_io& io) {
        reference::determinant(io.inputs[0], io.outputs[0], reinterpret_cast<double*>(io.scratch));
      },
      {.scratch_bytes = n * n * sizeof(double)});
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def det{
    .name = "Det",
    .first_opset = 11,
    .infer = infer,
    .cost = cost,
    .receptive_field = rules::pointwise_field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
