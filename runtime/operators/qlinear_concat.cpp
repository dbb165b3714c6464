#include "kernels/reference/quantized_elementwise.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/quantization_rules.hpp"

/// QLinearConcat of com.microsoft. Inputs: scale and zero point of the result, then each part with
/// its scale and zero point. Shapes, fields and cuts are those of Concat.
namespace shoal::operators {
namespace {

constexpr std::size_t first_part = 2, stride = 3;

std::vector<operand> parts_of(const node_context& c) {
  std::vector<operand> parts;
  for (auto i = first_part; i + 2 < c.inputs.size(); i += stride) parts.push_back(c.inputs[i]);
  return parts;
}

bool is_part(std::size_t input) {
  return input >= first_part && (input - first_part) % stride == 0;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  if ((c.inputs.size() - first_part) % stride != 0)
    return arguments::refuse(c, errc::malformed, "{} inputs: expected 2 and 3 for each part",
                             c.inputs.size());
  const auto type = c.type(1);
  SHOAL_CHECK(rules::expect_bytes(c, 1));
  SHOAL_CHECK(rules::expect_single(c, 0, dtype::f32));
  SHOAL_CHECK(rules::expect_single(c, 1, type));
  for (auto i = first_part; i < c.inputs.size(); i += stride) {
    SHOAL_CHECK(arguments::expect_same_type(c, i, 1));
    SHOAL_CHECK(rules::expect_single(c, i + 1, dtype::f32));
    SHOAL_CHECK(rules::expect_single(c, i + 2, type));
  }
  const auto parts = parts_of(c);
  return concat.infer({c.node, parts});
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!is_part(input)) return std::nullopt;
  const auto parts = parts_of(c);
  return concat.receptive_field({c.node, parts}, (input - first_part) / stride, axis, wanted);
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  std::vector<int> cuts;
  for (std::size_t i = 0; i < split.size(); ++i)
    if (is_part(i))
      cuts.push_back(split[i]);
    else if (split[i] != unsplit)
      return std::nullopt;
  const auto parts = parts_of(c);
  return concat.split_axis({c.node, parts}, cuts);
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const int axis,
            arguments::axis_of(c, c.attrs().get_int("axis", 1), c.outputs[0].dims.rank()));
  std::vector<std::int64_t> rows; // elements of each part in a row of the result
  for (const auto& part : parts_of(c))
    rows.push_back(part.type.dims.element_count(axis, part.type.dims.rank()));
  const auto& y = c.outputs[0].dims;
  const auto outer = y.element_count(0, axis), whole = y.element_count(axis, y.rank());
  return function_kernel([=, type = c.outputs[0].type](const kernel_io& io) {
    const auto format = [&](std::size_t scale) {
      return reference::byte_format{type, *io.inputs[scale].as<float>(),
                                    reference::integer(io.inputs[scale + 1], 0)};
    };
    const auto target = format(0);
    auto* row = io.outputs[0].as<std::uint8_t>();
    for (std::size_t part = 0; part < rows.size(); row += rows[part++]) {
      const auto i = first_part + part * stride;
      for (std::int64_t o = 0; o < outer; ++o)
        reference::quantized_unary(rows[part], format(i + 1),
                                   io.inputs[i].as<std::uint8_t>() + o * rows[part], target,
                                   row + o * whole, [](float x) { return x; });
    }
  });
}

constexpr kernel_entry kernel_list[] = {{"reference", prepare}};

} // namespace

const operator_def qlinear_concat{
    .name = "QLinearConcat",
    .domain = "com.microsoft",
    .min_inputs = 5,
    .max_inputs = -1,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
