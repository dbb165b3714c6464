#include "kernels/reference/pooling.hpp"
#include "kernels/reference/quantize.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/pool_rules.hpp"
#include "runtime/operators/quantization_rules.hpp"
#include "runtime/operators/window_rules.hpp"

/// Average pools of com.microsoft on 8-bit integers. Inputs: X, its scale and zero point, those of
/// the result. Shapes, fields and cuts are those of the pools on real numbers.
namespace shoal::operators {
namespace {

template <bool Global>
const operator_def& real_pool() {
  return Global ? global_average_pool : average_pool;
}

result<void> check(const graph_node& node) {
  if (node.attrs.get_int("channels_last", 0) == 0) return {};
  return node_error(node, errc::unsupported, "channels_last is set; [N,C,...] is supported");
}

template <bool Global>
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(rules::expect_bytes(c, 0));
  for (const std::size_t scale : {1, 3}) {
    SHOAL_CHECK(rules::expect_single(c, scale, dtype::f32));
    if (c.has(scale + 1)) SHOAL_CHECK(rules::expect_single(c, scale + 1, c.type(0)));
  }
  const auto real = rules::as_real(c, {0});
  SHOAL_TRY(auto types, real_pool<Global>().infer({c.node, real}));
  types[0].type = c.type(0);
  return types;
}

template <bool Global>
operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto real = rules::as_real(c, {0});
  return {real_pool<Global>().cost({c.node, real}, outputs).flops,
          rules::operand_bytes(c, outputs)};
}

template <bool Global>
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0) return std::nullopt;
  const auto real = rules::as_real(c, {0});
  return real_pool<Global>().receptive_field({c.node, real}, 0, axis, wanted);
}

std::optional<int> split(const node_context&, std::span<const int> split) {
  const auto cuts = rules::cuts_of(split, {0});
  if (!cuts || ((*cuts)[0] != 0 && (*cuts)[0] != unsplit)) return std::nullopt;
  return (*cuts)[0];
}

/// Real numbers in double, pooled, in units of the scale of the result.
template <bool Global>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto real = rules::as_real(c, {0});
  const auto& x = c.dims(0);
  const auto ones = shape::filled(x.rank() - 2, 1), zeros = shape::filled(x.rank() - 2, 0);
  window at{shape(x.span().subspan(2)), ones, ones, zeros, zeros};
  if (!Global) {
    SHOAL_TRY(const auto taps, rules::read_kernel_shape({c.node, real}));
    SHOAL_TRY(at, rules::read_window({c.node, real}, taps));
  }
  const bool count_padding = !Global && c.attrs().get_int("count_include_pad", 0) != 0;
  const auto x_count = x.element_count(), y_count = c.outputs[0].dims.element_count();
  return function_kernel(
      [=, y_dims = c.outputs[0].dims](const kernel_io& io) {
        const auto input = [&](std::size_t i) {
          return i < io.inputs.size() ? io.inputs[i] : const_view{};
        };
        auto* steps = reinterpret_cast<double*>(io.scratch);
        auto* means = steps + x_count;
        reference::subtract_zero(io.inputs[0], input(2), {1, 1, x_count}, steps);
        reference::average_pool({steps, dtype::f64, layout::plain, io.inputs[0].dims},
                                {means, dtype::f64, layout::plain, y_dims}, at, count_padding);
        const auto ratio = static_cast<double>(*io.inputs[1].as<float>()) /
                           static_cast<double>(*io.inputs[3].as<float>());
        const auto zero = reference::integer(input(4), 0);
        for (std::int64_t i = 0; i < y_count; ++i)
          io.outputs[0].as<std::uint8_t>()[i] = static_cast<std::uint8_t>(
              reference::quantized(io.outputs[0].type, static_cast<float>(means[i] * ratio), zero));
      },
      {.scratch_bytes = static_cast<std::size_t>(x_count + y_count) * sizeof(double)});
}

template <bool Global>
constexpr kernel_entry kernel_list[] = {{"reference", prepare<Global>}};

template <bool Global>
constexpr operator_def pool(std::string_view name) {
  return {.name = name,
          .domain = "com.microsoft",
          .min_inputs = 4,
          .max_inputs = 5,
          .check = check,
          .infer = infer<Global>,
          .cost = cost<Global>,
          .receptive_field = field<Global>,
          .split_axis = split,
          .kernels = kernel_list<Global>};
}

} // namespace

const operator_def qlinear_average_pool = pool<false>("QLinearAveragePool");
const operator_def qlinear_global_average_pool = pool<true>("QLinearGlobalAveragePool");

} // namespace shoal::operators
