#include "kernels/cpu/skip_normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// SkipLayerNormalization, SkipSimplifiedLayerNormalization and SimplifiedLayerNormalization: layer
/// normalisation over the last axis, of a sum that may be an output too, or without the mean.
namespace shoal::operators {
namespace {

using arguments::refuse;

/// Which input is what; 0 for none.
struct roles {
  std::size_t skip = 0, scale = 1, shift = 0, bias = 0;
  bool centred = true;
};
constexpr roles skipping{.skip = 1, .scale = 2, .shift = 3, .bias = 4};
constexpr roles skipping_simplified{.skip = 1, .scale = 2, .bias = 3, .centred = false};
constexpr roles simplified{.scale = 1, .centred = false};

result<void> expect_vector(const node_context& c, std::size_t i, std::int64_t width) {
  if (i == 0 || !c.has(i)) return {};
  SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
  if (c.dims(i) == shape{width}) return {};
  return refuse(c, errc::invalid_argument, "input {}: expected [{}], got {}", i, width,
                to_string(c.dims(i)));
}

/// Rows of input 0 before the normalised axis.
shape row_shape(const shape& x) {
  shape rows = x;
  rows[x.rank() - 1] = 1;
  return rows;
}

template <const roles& R>
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  const auto& x = c.dims(0);
  if (x.rank() < 2)
    return refuse(c, errc::invalid_argument, "input 0: expected rows, got {}", to_string(x));
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", -1), x.rank()));
  if (axis != x.rank() - 1)
    return refuse(c, errc::unsupported, "axis is {}; the last one is supported", axis);
  const auto width = x[axis];
  for (const auto i : {R.scale, R.shift, R.bias}) SHOAL_CHECK(expect_vector(c, i, width));
  if (R.skip != 0) {
    const auto& skip = c.dims(R.skip);
    SHOAL_CHECK(arguments::expect_same_type(c, R.skip, 0));
    shape tail(x.span().subspan(1)), once = x;
    once[0] = 1;
    if (skip != x && skip != once && skip != tail)
      return refuse(c, errc::invalid_argument, "skip {} cannot be broadcast to the input {}",
                    to_string(skip), to_string(x));
  }
  const tensor_type same{dtype::f32, x}, statistics{dtype::f32, row_shape(x)};
  if (R.skip == 0) return std::vector<tensor_type>{same, statistics};
  return std::vector<tensor_type>{same, statistics, statistics, same};
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {9.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

/// The axes of the skip are counted from the right.
template <const roles& R>
std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  const bool rows = input == 0 || input == R.skip;
  const int own = axis - (c.dims(0).rank() - c.dims(input).rank());
  if (!rows || own < 0) return std::nullopt;
  return own;
}

template <const roles& R>
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto own = input_axis<R>(c, input, axis);
  if (!own || axis == c.dims(0).rank() - 1) return std::nullopt;
  return c.dims(input)[*own] == 1 ? interval{0, 0} : wanted;
}

template <const roles& R>
std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit || split[0] == c.dims(0).rank() - 1) return std::nullopt;
  for (std::size_t i = 1; i < split.size(); ++i) {
    const bool rows = R.skip != 0 && i == R.skip;
    if (split[i] != (rows ? split[0] : unsplit)) return std::nullopt;
    if (rows && c.dims(i) != c.dims(0)) return std::nullopt;
  }
  return split[0];
}

template <const roles& R, auto Normalize>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto& x = c.dims(0);
  skip_normalization p;
  p.width = x[x.rank() - 1];
  p.rows = x.element_count(0, x.rank() - 1);
  if (R.skip != 0) p.skip_rows = c.dims(R.skip).element_count(0, c.dims(R.skip).rank() - 1);
  p.epsilon = static_cast<double>(c.attrs().get_float("epsilon", R.skip != 0 ? 1e-12f : 1e-5f));
  p.centred = R.centred;
  return function_kernel([p](const kernel_io& io) {
    const auto input = [&](std::size_t i) {
      return i != 0 && i < io.inputs.size() ? io.inputs[i].as<float>() : nullptr;
    };
    const auto output = [&](std::size_t i) {
      return i < io.outputs.size() ? io.outputs[i].as<float>() : nullptr;
    };
    auto run = p;
    run.x = io.inputs[0].as<float>();
    run.skip = input(R.skip);
    run.scale = input(R.scale);
    run.shift = input(R.shift);
    run.bias = input(R.bias);
    run.y = output(0);
    run.mean = R.skip != 0 ? output(1) : nullptr;
    run.inverse = output(R.skip != 0 ? 2 : 1);
    run.sum = R.skip != 0 ? output(3) : nullptr;
    if (run.sum == nullptr) run.sum = run.y;
    Normalize(run);
  });
}

template <const roles& R>
constexpr kernel_entry kernel_list[] = {{"cpu", prepare<R, kernels::normalize>},
                                        {"reference", prepare<R, reference::normalize>}};

template <const roles& R>
constexpr operator_def normalization(std::string_view name, std::string_view domain, int min_inputs,
                                     int max_inputs, int max_outputs) {
  return {.name = name,
          .domain = domain,
          .min_inputs = min_inputs,
          .max_inputs = max_inputs,
          .max_outputs = max_outputs,
          .infer = infer<R>,
          .cost = cost,
          .input_axis = input_axis<R>,
          .receptive_field = field<R>,
          .split_axis = split<R>,
          .kernels = kernel_list<R>};
}

} // namespace

const operator_def skip_layer_normalization =
    normalization<skipping>("SkipLayerNormalization", "com.microsoft", 3, 5, 4);
const operator_def skip_simplified_layer_normalization = normalization<skipping_simplified>(
    "SkipSimplifiedLayerNormalization", "com.microsoft", 3, 4, 4);
// Exporters put this one into the domain of ONNX itself, or into com.microsoft.
const operator_def simplified_layer_normalization =
    normalization<simplified>("SimplifiedLayerNormalization", "", 2, 2, 2);
const operator_def microsoft_simplified_layer_normalization =
    normalization<simplified>("SimplifiedLayerNormalization", "com.microsoft", 2, 2, 2);

} // namespace shoal::operators
