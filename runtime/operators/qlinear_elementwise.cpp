#include "kernels/broadcast.hpp"
#include "kernels/cpu/quantized_elementwise.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/quantization_rules.hpp"

#include <cmath>

/// Elementwise operators of com.microsoft on 8-bit integers, each with one scale and zero point.
namespace shoal::operators {
namespace {

using reference::byte_format;

/// Input `scale`, and the zero point after it, which may be left out.
result<void> expect_scaled(const node_context& c, std::size_t scale, dtype type) {
  SHOAL_CHECK(rules::expect_single(c, scale, dtype::f32));
  if (c.has(scale + 1)) SHOAL_CHECK(rules::expect_single(c, scale + 1, type));
  return {};
}

byte_format format_at(const kernel_io& io, std::size_t scale, dtype type) {
  const auto zero = scale + 1 < io.inputs.size() ? io.inputs[scale + 1] : const_view{};
  return {type, *io.inputs[scale].as<float>(), reference::integer(zero, 0)};
}

// Two inputs: A, its scale and zero point, B, its, those of the result.
constexpr std::size_t second = 3, target_scale = 6;

result<std::vector<tensor_type>> infer_binary(const node_context& c) {
  SHOAL_CHECK(rules::expect_bytes(c, 0));
  SHOAL_CHECK(arguments::expect_same_type(c, second, 0));
  for (const std::size_t scale : {std::size_t{1}, second + 1, target_scale})
    SHOAL_CHECK(expect_scaled(c, scale, c.type(0)));
  SHOAL_TRY(const auto dims, arguments::broadcast(c, c.dims(0), c.dims(second)));
  return arguments::one_output(c.type(0), dims);
}

std::optional<int> binary_axis(const node_context& c, std::size_t input, int axis) {
  if (input != 0 && input != second) return std::nullopt;
  const auto real = rules::as_real(c, {0, second});
  return rules::broadcast_axis({c.node, real}, input == 0 ? 0 : 1, axis);
}

std::optional<interval> binary_field(const node_context& c, std::size_t input, int axis,
                                     interval wanted) {
  if (input != 0 && input != second) return std::nullopt;
  const auto real = rules::as_real(c, {0, second});
  return rules::broadcast_field({c.node, real}, input == 0 ? 0 : 1, axis, wanted);
}

std::optional<int> binary_split(const node_context& c, std::span<const int> split) {
  const auto cuts = rules::cuts_of(split, {0, second});
  if (!cuts) return std::nullopt;
  const auto real = rules::as_real(c, {0, second});
  return rules::broadcast_split({c.node, real}, *cuts);
}

template <bool Multiply, auto Run>
result<std::unique_ptr<kernel>> prepare_binary(const prepare_context& c) {
  const auto real = rules::as_real(c, {0, second});
  const layout layouts[] = {c.input_layouts[0], c.input_layouts[second]};
  auto traits =
      rules::broadcast_layouts({{c.node, real}, c.outputs, layouts, c.threads, c.weights});
  const shape inputs[] = {c.dims(0), c.dims(second)};
  const auto nest = broadcast_nest(inputs, c.outputs[0].dims, traits.output);
  if (!traits.inputs.empty())
    traits.inputs = {traits.inputs[0], layout::plain, layout::plain, traits.inputs[1]};
  return function_kernel(
      [nest, type = c.type(0)](const kernel_io& io) {
        Run(Multiply, nest, format_at(io, 1, type), io.inputs[0].data,
            format_at(io, second + 1, type), io.inputs[second].data,
            format_at(io, target_scale, type), io.outputs[0].data);
      },
      std::move(traits));
}

template <bool Multiply>
constexpr kernel_entry binary_kernels[] = {
    {"cpu", prepare_binary<Multiply, kernels::quantized_binary>},
    {"reference", prepare_binary<Multiply, reference::quantized_binary>}};

template <bool Multiply>
constexpr operator_def binary(std::string_view name) {
  return {.name = name,
          .domain = "com.microsoft",
          .min_inputs = 7,
          .max_inputs = 8,
          .infer = infer_binary,
          .input_axis = binary_axis,
          .receptive_field = binary_field,
          .split_axis = binary_split,
          .kernels = binary_kernels<Multiply>};
}

// One input: X, its scale and zero point, those of the result.

result<std::vector<tensor_type>> infer_unary(const node_context& c) {
  SHOAL_CHECK(rules::expect_bytes(c, 0));
  SHOAL_CHECK(expect_scaled(c, 1, c.type(0)));
  SHOAL_CHECK(expect_scaled(c, 3, c.type(0)));
  return arguments::one_output(c.type(0), c.dims(0));
}

std::optional<interval> unary_field(const node_context&, std::size_t input, int, interval wanted) {
  if (input != 0) return std::nullopt;
  return wanted;
}

std::optional<int> unary_split(const node_context&, std::span<const int> split) {
  const auto cuts = rules::cuts_of(split, {0});
  if (!cuts) return std::nullopt;
  return (*cuts)[0];
}

enum class curve { sigmoid, leaky_relu };

template <curve F>
result<std::unique_ptr<kernel>> prepare_unary(const prepare_context& c) {
  // Blocked layouts have padding, which must stay zero.
  const auto format = c.input_layouts[0] == layout::channels_last && c.dims(0).rank() >= 3
                          ? layout::channels_last
                          : layout::plain;
  const auto count = c.dims(0).element_count();
  const float alpha = c.attrs().get_float("alpha", 0.01f);
  return function_kernel(
      [count, alpha, type = c.type(0)](const kernel_io& io) {
        reference::quantized_unary(count, format_at(io, 1, type), io.inputs[0].data,
                                   format_at(io, 3, type), io.outputs[0].data, [alpha](float x) {
                                     if (F == curve::sigmoid) return 1.0f / (1.0f + std::exp(-x));
                                     return x < 0 ? alpha * x : x;
                                   });
      },
      {.inputs = {format}, .output = format, .overwritable = 0});
}

template <curve F>
constexpr kernel_entry unary_kernels[] = {{"reference", prepare_unary<F>}};

template <curve F>
constexpr operator_def unary(std::string_view name) {
  return {.name = name,
          .domain = "com.microsoft",
          .min_inputs = 4,
          .max_inputs = 5,
          .infer = infer_unary,
          .receptive_field = unary_field,
          .split_axis = unary_split,
          .kernels = unary_kernels<F>};
}

} // namespace

const operator_def qlinear_add = binary<false>("QLinearAdd");
const operator_def qlinear_mul = binary<true>("QLinearMul");
const operator_def qlinear_sigmoid = unary<curve::sigmoid>("QLinearSigmoid");
const operator_def qlinear_leaky_relu = unary<curve::leaky_relu>("QLinearLeakyRelu");

} // namespace shoal::operators
