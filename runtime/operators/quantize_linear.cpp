#include "kernels/cpu/quantize.hpp"
#include "kernels/reference/quantize.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/onnx_dtype.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// QuantizeLinear and DequantizeLinear of ai.onnx and com.microsoft: one scale for the tensor, one
/// per index of an axis (opset 13), or one per block along it (opset 21). Cut anywhere, unless the
/// scales would have to be cut too.
namespace shoal::operators {
namespace {

using arguments::refuse;

/// Input 1 has one scale: there is no axis.
bool per_tensor(const node_context& c) {
  return c.dims(1).rank() == 0 || (c.dims(1).rank() == 1 && c.dims(1)[0] == 1);
}

std::int64_t block_size(const node_context& c) {
  return c.attrs().get_int("block_size", 0);
}

result<int> axis_of(const node_context& c) {
  return arguments::axis_of(c, c.attrs().get_int("axis", 1), c.dims(0).rank());
}

result<void> expect_blocks(const node_context& c, int axis) {
  const auto &x = c.dims(0), &scale = c.dims(1);
  const auto block = block_size(c);
  bool fits = block > 0 && scale.rank() == x.rank();
  for (int i = 0; fits && i < x.rank(); ++i)
    fits = scale[i] == (i == axis ? x[i] / block + (x[i] % block != 0) : x[i]);
  if (fits) return {};
  return refuse(c, errc::invalid_argument, "scales {} do not fit {} in blocks of {} along axis {}",
                to_string(scale), to_string(x), block, axis);
}

/// The map for shapes that are known to fit, or why they do not.
result<scale_map> map_of(const node_context& c) {
  const auto& x = c.dims(0);
  if (per_tensor(c)) return scale_map{.inner = x.element_count()};
  SHOAL_TRY(const int axis, axis_of(c));
  scale_map map{.outer = x.element_count(0, axis),
                .axis = x[axis],
                .inner = x.element_count(axis + 1, x.rank()),
                .axis_step = 1};
  if (block_size(c) != 0) {
    SHOAL_CHECK(expect_blocks(c, axis));
    map.block = block_size(c);
    map.outer_step = c.dims(1)[axis] * map.inner;
    map.axis_step = map.inner;
    map.inner_step = 1;
  } else if (c.dims(1).rank() != 1 || c.dims(1)[0] != x[axis]) {
    return refuse(c, errc::invalid_argument,
                  "scale: expected one value or {} as axis {} of {} has, got {}", x[axis], axis,
                  to_string(x), to_string(c.dims(1)));
  }
  return map;
}

result<void> expect_zero(const node_context& c) {
  if (!c.has(2)) return {};
  const bool fits = c.dims(2) == c.dims(1) || (per_tensor(c) && c.dims(2).element_count() == 1);
  if (fits) return {};
  return refuse(c, errc::invalid_argument, "zero point {} has another shape than the scale {}",
                to_string(c.dims(2)), to_string(c.dims(1)));
}

result<dtype> quantized_type(const node_context& c) {
  if (c.has(2)) {
    SHOAL_CHECK(arguments::expect_type(c, 2, {dtype::u8, dtype::i8, dtype::u16, dtype::i16}));
    return c.type(2);
  }
  const auto number = c.attrs().get_int("output_dtype", 0);
  if (number == 0) return dtype::u8;
  const auto type = dtype_of_onnx(number);
  if (type == dtype::u8 || type == dtype::i8 || type == dtype::u16 || type == dtype::i16)
    return *type;
  return refuse(c, errc::unsupported,
                "output_dtype is {}; uint8, int8, uint16 and int16 are supported", number);
}

result<std::vector<tensor_type>> infer_quantize(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f16, dtype::bf16, dtype::i32}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::f32, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(map_of(c));
  SHOAL_CHECK(expect_zero(c));
  SHOAL_TRY(const auto type, quantized_type(c));
  return arguments::one_output(type, c.dims(0));
}

result<std::vector<tensor_type>> infer_dequantize(const node_context& c) {
  SHOAL_CHECK(
      arguments::expect_type(c, 0, {dtype::u8, dtype::i8, dtype::u16, dtype::i16, dtype::i32}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::f32, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(map_of(c));
  SHOAL_CHECK(expect_zero(c));
  if (c.has(2)) SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
  return arguments::one_output(c.type(1), c.dims(0));
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {2.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context&, std::size_t input, int, interval wanted) {
  if (input != 0) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 1; i < split.size(); ++i)
    if (split[i] != unsplit) return std::nullopt;
  if (split[0] == unsplit || per_tensor(c)) return split[0];
  const auto axis = axis_of(c);
  if (!axis || block_size(c) != 0 || split[0] == *axis) return std::nullopt;
  return split[0];
}

using function = void (*)(const const_view&, const const_view&, const const_view&, const view&,
                          const scale_map&);

std::unique_ptr<kernel> make(function f, const scale_map& map) {
  return function_kernel([f, map](const kernel_io& io) {
    f(io.inputs[0], io.inputs[1], io.inputs.size() > 2 ? io.inputs[2] : const_view{}, io.outputs[0],
      map);
  });
}

template <function F>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  SHOAL_TRY(const auto map, map_of(c));
  return make(F, map);
}

result<std::unique_ptr<kernel>> prepare_quantize(const prepare_context& c) {
  SHOAL_TRY(const auto map, map_of(c));
  if (c.type(1) != dtype::f32 || !kernels::has_quantize(c.type(0), c.outputs[0].type, map))
    return nullptr;
  return make(kernels::quantize_linear, map);
}

result<std::unique_ptr<kernel>> prepare_dequantize(const prepare_context& c) {
  SHOAL_TRY(const auto map, map_of(c));
  if (!kernels::has_quantize(c.type(1), c.type(0), map)) return nullptr;
  return make(kernels::dequantize_linear, map);
}

constexpr kernel_entry quantize_kernels[] = {
    {"cpu", prepare_quantize}, {"reference", prepare_reference<reference::quantize_linear>}};
constexpr kernel_entry dequantize_kernels[] = {
    {"cpu", prepare_dequantize}, {"reference", prepare_reference<reference::dequantize_linear>}};

constexpr operator_def quantization(std::string_view domain) {
  return {.name = "QuantizeLinear",
          .domain = domain,
          .first_opset = domain.empty() ? 10 : 1,
          .min_inputs = 2,
          .max_inputs = 3,
          .infer = infer_quantize,
          .cost = cost,
          .receptive_field = field,
          .split_axis = split,
          .kernels = quantize_kernels};
}

constexpr operator_def dequantization(std::string_view domain) {
  auto definition = quantization(domain);
  definition.name = "DequantizeLinear";
  definition.infer = infer_dequantize;
  definition.kernels = dequantize_kernels;
  return definition;
}

} // namespace

const operator_def quantize_linear = quantization("");
const operator_def dequantize_linear = dequantization("");
const operator_def microsoft_quantize_linear = quantization("com.microsoft");
const operator_def microsoft_dequantize_linear = dequantization("com.microsoft");

} // namespace shoal::operators
