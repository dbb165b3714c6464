#include "kernels/cpu/normalization.hpp"
#include "kernels/reference/floating.hpp"
#include "kernels/reference/normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: X [N,C,...], scale, B, mean and var, all [C]. In training, since opset 14, mean and
// variance are X's own, and those given are moved towards them as two more outputs.

namespace shoal::operators {
namespace {

using arguments::refuse;

float epsilon_of(const node_context& c) {
  return c.attrs().get_float("epsilon", 1e-5f);
}

bool trains(const graph_node& node) {
  return node.attrs.get_int("training_mode", 0) != 0;
}

/// What older opsets did in training is refused.
result<void> check(const graph_node& node) {
  for (std::size_t i = 1; i < node.outputs.size(); ++i)
    if (node.outputs[i] != no_value && (!trains(node) || i > 2))
      return node_error(node, errc::unsupported,
                        "outputs other than Y need the attribute training_mode, of opset 14");
  if (node.attrs.get_int("spatial", 1) == 0)
    return node_error(node, errc::unsupported, "attribute spatial is 0");
  return {};
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto floating = {dtype::f32, dtype::f64, dtype::f16, dtype::bf16};
  const auto& x = c.dims(0);
  if (x.rank() < 2)
    return refuse(c, errc::invalid_argument, "X: expected [N,C,...], got {}", to_string(x));
  for (std::size_t i = 0; i < 5; ++i) SHOAL_CHECK(arguments::expect_type(c, i, floating));
  for (std::size_t i = 1; i < 5; ++i)
    if (c.dims(i) != shape{x[1]})
      return refuse(c, errc::invalid_argument,
                    "input {}: expected [{}] as X {} has channels, got {}", i, x[1], to_string(x),
                    to_string(c.dims(i)));
  std::vector<tensor_type> types{c.inputs[0].type};
  for (std::size_t i = 1; i < c.node.outputs.size() && trains(c.node); ++i)
    types.push_back(c.inputs[2 + i].type);
  return types;
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {2.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || (trains(c.node) && axis != 1)) return std::nullopt;
  return wanted;
}

/// Anywhere but along the channels, to which the coefficients belong.
std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 1; i < split.size(); ++i)
    if (split[i] != unsplit) return std::nullopt;
  if (split[0] == 1 || trains(c.node)) return std::nullopt;
  return split[0];
}

result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  if (trains(c.node)) return nullptr;
  bool constant = true;
  for (std::size_t i = 0; i < 5; ++i) {
    if (c.type(i) != dtype::f32) return nullptr;
    constant = constant && (i == 0 || c.inputs[i].constant != nullptr);
  }
  kernels::batch_coefficients known;
  if (constant) {
    const auto values = [&](std::size_t i) { return c.inputs[i].constant->values<float>().data(); };
    known = {values(1), values(2), values(3), values(4)};
  }
  const auto produced = c.dims(0).rank() > 2 ? c.input_layouts[0] : layout::plain;
  return kernels::make_batch_normalization(c.dims(0), known, static_cast<double>(epsilon_of(c)),
                                           produced);
}

/// The statistics given, moved towards those of X, in `moved`.
void move_statistics(double momentum, const const_view& given, const double* own,
                     const view& moved) {
  reference::visit_floating(moved.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < moved.element_count(); ++i)
      moved.as<T>()[i] =
          reference::rounded<T>(momentum * reference::element(given, i) + (1 - momentum) * own[i]);
  });
}

result<std::unique_ptr<kernel>> prepare_training(const prepare_context& c) {
  const auto channels = c.dims(0)[1];
  const auto momentum = static_cast<double>(c.attrs().get_float("momentum", 0.9f));
  return function_kernel(
      [=, epsilon = static_cast<double>(epsilon_of(c))](const kernel_io& io) {
        auto* own = reinterpret_cast<double*>(io.scratch);
        const view mean{own, dtype::f64, layout::plain, {channels}};
        const view variance{own + channels, dtype::f64, layout::plain, {channels}};
        reference::channel_statistics(io.inputs[0], mean, variance);
        if (io.outputs[0].data != nullptr)
          reference::batch_normalization(io.inputs[0], io.inputs[1], io.inputs[2], mean, variance,
                                         io.outputs[0], epsilon);
        for (std::size_t i = 1; i < io.outputs.size(); ++i)
          if (io.outputs[i].data != nullptr)
            move_statistics(momentum, io.inputs[2 + i], own + (i == 2 ? channels : 0),
                            io.outputs[i]);
      },
      {.scratch_bytes = static_cast<std::size_t>(2 * channels) * sizeof(double)});
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  if (trains(c.node)) return prepare_training(c);
  return function_kernel([epsilon = epsilon_of(c)](const kernel_io& io) {
    reference::batch_normalization(io.inputs[0], io.inputs[1], io.inputs[2], io.inputs[3],
                                   io.inputs[4], io.outputs[0], static_cast<double>(epsilon));
  });
}

constexpr kernel_entry batch_normalization_kernels[] = {{"cpu", prepare_cpu},
                                                        {"reference", prepare_reference}};

} // namespace

const operator_def batch_normalization{
    .name = "BatchNormalization",
    .min_inputs = 5,
    .max_inputs = 5,
    .max_outputs = 5,
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = batch_normalization_kernels,
};

} // namespace shoal::operators
