#include "kernels/cpu/normalization.hpp"
#include "kernels/reference/normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

using arguments::refuse;

/// The first axis of the normalised ones, which are all from there on.
result<int> axis_of(const node_context& c) {
  return arguments::axis_of(c, c.attrs().get_int("axis", -1), c.dims(0).rank());
}

float epsilon_of(const node_context& c) {
  return c.attrs().get_float("epsilon", 1e-5f);
}

/// Whether `own` can be repeated to fill `full`.
bool broadcasts_to(const shape& own, const shape& full) {
  if (own.rank() > full.rank()) return false;
  for (int i = 0; i < own.rank(); ++i)
    if (own[i] != 1 && own[i] != full[full.rank() - own.rank() + i]) return false;
  return true;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const int axis, axis_of(c));
  for (const std::size_t i : {1, 2}) {
    if (!c.has(i)) continue;
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    if (!broadcasts_to(c.dims(i), c.dims(0)))
      return refuse(c, errc::invalid_argument, "{} {} cannot be broadcast to X {}",
                    i == 1 ? "Scale" : "B", to_string(c.dims(i)), to_string(c.dims(0)));
  }
  std::vector<tensor_type> types{c.inputs[0].type};
  shape statistics = c.dims(0);
  for (int i = axis; i < statistics.rank(); ++i) statistics[i] = 1;
  // Mean and InvStdDev are of the type that the computation uses.
  const auto wide = c.type(0) == dtype::f64 ? dtype::f64 : dtype::f32;
  while (types.size() < c.node.outputs.size()) types.push_back({wide, statistics});
  return types;
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  // Sum; difference, square and sum; two products and a sum.
  return {8.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto first = axis_of(c);
  if (input != 0 || !first || axis >= *first) return std::nullopt;
  return wanted;
}

std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 1; i < split.size(); ++i) {
    if (split[i] != unsplit) return std::nullopt;
    // Coefficients that differ along the cut axis would have to be cut too.
    const int in_x = c.has(i) ? c.dims(0).rank() - c.dims(i).rank() : 0;
    if (c.has(i) && split[0] >= in_x && c.dims(i)[split[0] - in_x] != 1) return std::nullopt;
  }
  const auto first = axis_of(c);
  if (!first || split[0] >= *first) return std::nullopt;
  return split[0];
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  SHOAL_TRY(const int axis, axis_of(c));
  const auto& x = c.dims(0);
  const shape inner(x.span().subspan(static_cast<std::size_t>(axis)));
  const bool suits = c.type(0) == dtype::f32 && c.outputs.size() == 1 && c.dims(1) == inner &&
                     (!c.has(2) || c.dims(2) == inner);
  if (!suits) return nullptr;
  return kernels::make_layer_normalization(x.element_count(0, axis), inner.element_count(),
                                           epsilon_of(c), c.has(2), c.threads);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  SHOAL_TRY(const int axis, axis_of(c));
  return function_kernel([axis, epsilon = epsilon_of(c)](const kernel_io& io) {
    const auto shift = io.inputs.size() > 2 ? io.inputs[2] : const_view{};
    const auto output = [&](std::size_t i) {
      return i < io.outputs.size() ? io.outputs[i] : view{};
    };
    reference::layer_normalization(io.inputs[0], io.inputs[1], shift, io.outputs[0], output(1),
                                   output(2), axis, static_cast<double>(epsilon));
  });
}

constexpr kernel_entry layer_normalization_kernels[] = {{"onednn", prepare_onednn},
                                                        {"reference", prepare_reference}};

constexpr operator_def definition(std::string_view domain) {
  return {
      .name = "LayerNormalization",
      .domain = domain,
      .min_inputs = 2,
      .max_inputs = 3,
      .max_outputs = 3,
      .infer = infer,
      .cost = cost,
      .receptive_field = field,
      .split_axis = split_axis,
      .kernels = layer_normalization_kernels,
  };
}

} // namespace

const operator_def layer_normalization = definition("");
/// The same for models of opsets that do not have it: what a rewrite makes of its formula.
const operator_def fused_layer_normalization = definition("shoal");

} // namespace shoal::operators
