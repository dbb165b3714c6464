#include "runtime/base/fail.hpp"
#include "runtime/operators/convolution_rules.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

/// The attributes `activation` and `activation_params`.
result<activation> read_activation(const graph_node& node) {
  struct known {
    std::string_view name;
    activation::kind function;
    std::size_t parameters;
  };
  constexpr known all[] = {{"", activation::kind::none, 0},
                           {"Relu", activation::kind::relu, 0},
                           {"LeakyRelu", activation::kind::leaky_relu, 1},
                           {"Clip", activation::kind::clip, 2},
                           {"Sigmoid", activation::kind::sigmoid, 0},
                           {"Tanh", activation::kind::tanh, 0},
                           {"HardSigmoid", activation::kind::hard_sigmoid, 2}};
  const auto name = node.attrs.get_string("activation", "");
  const auto* given = node.attrs.get<std::vector<float>>("activation_params");
  for (const auto& candidate : all) {
    if (candidate.name != name) continue;
    const auto count = given == nullptr ? 0 : given->size();
    if (count < candidate.parameters)
      return node_error(node, errc::malformed,
                        fmt::format("activation {}: expected {} activation_params, got {}", name,
                                    candidate.parameters, count));
    activation f{.function = candidate.function};
    if (candidate.parameters > 0) f.alpha = (*given)[0];
    if (candidate.parameters > 1) f.beta = (*given)[1];
    return f;
  }
  return node_error(node, errc::unsupported,
                    fmt::format("activation {}: expected Relu, LeakyRelu, Clip, Sigmoid, Tanh or "
                                "HardSigmoid",
                                name));
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(read_activation(node));
  return {};
}

result<std::unique_ptr<kernel>> prepare_winograd(const prepare_context& c) {
  SHOAL_TRY(const auto f, read_activation(c.node));
  return rules::prepare_winograd_convolution(c, f);
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  SHOAL_TRY(const auto f, read_activation(c.node));
  return rules::prepare_onednn_convolution(c, f);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  SHOAL_TRY(const auto f, read_activation(c.node));
  return rules::prepare_reference_convolution(c, f);
}

constexpr kernel_entry kernels[] = {
    {"winograd", prepare_winograd}, {"onednn", prepare_onednn}, {"reference", prepare_reference}};

} // namespace

/// activation(Conv(X, W, B) + Z): what a graph rewrite makes of a convolution and what follows it.
const operator_def fused_conv{
    .name = "FusedConv",
    .domain = "com.microsoft",
    .min_inputs = 2,
    .max_inputs = 4,
    .check = check,
    .infer = rules::infer_convolution,
    .cost = rules::convolution_cost,
    .receptive_field = rules::convolution_field,
    .split_axis = rules::split_batch,
    .kernels = kernels,
};

} // namespace shoal::operators
