#include "kernels/cpu/math.hpp"
#include "kernels/cpu/parallel.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

#include <cmath>

/// BiasGelu of com.microsoft: GELU of the input plus a bias along the last axis.
namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  const auto& x = c.dims(0);
  if (x.rank() < 1 || c.dims(1) != shape{x[x.rank() - 1]})
    return arguments::refuse(c, errc::invalid_argument, "bias {} does not fit the last axis of {}",
                             to_string(c.dims(1)), to_string(x));
  return arguments::one_output(dtype::f32, x);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {20.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[1] != unsplit || split[0] == c.dims(0).rank() - 1) return std::nullopt;
  return split[0];
}

SHOAL_MULTIVERSION void fast_row(const float* x, const float* bias, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) {
    const float v = x[i] + bias[i];
    y[i] = 0.5f * v * (1.0f + kernels::math::erf(v * 0.70710678f));
  }
}

void plain_row(const float* x, const float* bias, std::int64_t n, float* y) {
  for (std::int64_t i = 0; i < n; ++i) {
    const double v = static_cast<double>(x[i]) + static_cast<double>(bias[i]);
    y[i] = static_cast<float>(0.5 * v * (1 + std::erf(v / std::sqrt(2.0))));
  }
}

template <auto Row>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto& x = c.dims(0);
  const auto width = x[x.rank() - 1], rows = x.element_count(0, x.rank() - 1);
  return function_kernel(
      [=](const kernel_io& io) {
        kernels::parallel_pieces(rows, kernels::parallel_threshold / (width * 20 + 1),
                                 [&](std::int64_t first, std::int64_t last) {
                                   for (auto r = first; r < last; ++r)
                                     Row(io.inputs[0].as<float>() + r * width,
                                         io.inputs[1].as<float>(), width,
                                         io.outputs[0].as<float>() + r * width);
                                 });
      },
      {.overwritable = 0});
}

constexpr kernel_entry kernel_list[] = {{"cpu", prepare<fast_row>},
                                        {"reference", prepare<plain_row>}};

} // namespace

const operator_def bias_gelu{
    .name = "BiasGelu",
    .domain = "com.microsoft",
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .cost = cost,
    .input_axis = rules::broadcast_axis,
    .receptive_field = rules::broadcast_field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
