#include "kernels/cpu/unary.hpp"

#include "kernels/reference/unary.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <limits>

namespace shoal::operators {
namespace {

/// The attributes that are `p` and `q` of a function, with ONNX's defaults. Empty names: constants.
struct parameter_names {
  std::string_view p = {};
  double p_default = 0;
  std::string_view q = {};
  double q_default = 0;
};

constexpr parameter_names parameters_of(unary_function f) {
  switch (f) {
  case unary_function::leaky_relu:
    return {"alpha", 0.01};
  case unary_function::elu:
  case unary_function::celu:
  case unary_function::thresholded_relu:
    return {"alpha", 1};
  case unary_function::selu:
    return {"alpha", 1.67326319217681884765625, "gamma", 1.05070102214813232421875};
  case unary_function::hard_sigmoid:
    return {"alpha", 0.2, "beta", 0.5};
  case unary_function::swish:
    return {"alpha", 1.702};
  case unary_function::shrink:
    return {"bias", 0, "lambd", 0.5};
  default:
    return {};
  }
}

unary_parameters read_parameters(unary_function f, const node_context& c) {
  const auto names = parameters_of(f);
  const auto read = [&](std::string_view name, double fallback) -> double {
    const auto* given = name.empty() ? nullptr : c.attrs().get<float>(name);
    return given == nullptr ? static_cast<double>(static_cast<float>(fallback)) : *given;
  };
  return {read(names.p, names.p_default), read(names.q, names.q_default)};
}

/// Gelu chooses its variant by an attribute.
template <unary_function F>
unary_function function_of(const node_context& c) {
  if (F == unary_function::gelu && c.attrs().get_string("approximate", "none") == "tanh")
    return unary_function::gelu_tanh;
  return F;
}

template <unary_function F>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  const auto f = function_of<F>(c);
  if (c.type(0) != dtype::f32 || !kernels::has_unary(f)) return nullptr;
  auto traits = rules::broadcast_layouts(c);
  traits.overwritable = 0;
  const auto with = read_parameters(f, c);
  return function_kernel(
      [f, with](const kernel_io& io) {
        kernels::unary(f, with, io.inputs[0].as<float>(), io.outputs[0].as<float>(),
                       io.inputs[0].element_count());
      },
      std::move(traits));
}

template <unary_function F>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  const auto f = function_of<F>(c);
  const auto with = read_parameters(f, c);
  auto traits = rules::broadcast_layouts(c);
  traits.overwritable = 0;
  return function_kernel(
      [f, with](const kernel_io& io) { reference::unary(f, with, io.inputs[0], io.outputs[0]); },
      std::move(traits));
}

template <unary_function F>
constexpr kernel_entry entries[] = {{"cpu", prepare_cpu<F>}, {"reference", prepare_reference<F>}};

result<std::vector<tensor_type>> infer_floats(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  return rules::same_as_input(c);
}

result<std::vector<tensor_type>> infer_numbers(const node_context& c) {
  if (c.type(0) == dtype::boolean)
    return arguments::refuse(c, errc::invalid_argument, "expected numbers, got {}",
                             to_string(c.inputs[0].type));
  return rules::same_as_input(c);
}

template <unary_function F>
constexpr operator_def of_floats(std::string_view name, std::string_view domain = "") {
  return {.name = name,
          .domain = domain,
          .infer = infer_floats,
          .receptive_field = rules::pointwise_field,
          .split_axis = rules::split_like_input,
          .kernels = entries<F>};
}

template <unary_function F>
constexpr operator_def of_numbers(std::string_view name) {
  auto definition = of_floats<F>(name);
  definition.infer = infer_numbers;
  return definition;
}

/// Microsoft's FastGelu may take a bias, which is a second operator in disguise.
constexpr operator_def fast_gelu_definition() {
  auto definition = of_floats<unary_function::gelu_tanh>("FastGelu", "com.microsoft");
  definition.max_inputs = 2;
  definition.infer = [](const node_context& c) -> result<std::vector<tensor_type>> {
    if (c.has(1)) return node_error(c.node, errc::unsupported, "a bias is not supported");
    return infer_floats(c);
  };
  return definition;
}

result<void> check_approximation(const graph_node& node) {
  const auto kind = node.attrs.get_string("approximate", "none");
  if (kind == "none" || kind == "tanh") return {};
  return node_error(node, errc::malformed,
                    fmt::format("approximate is '{}', expected none or tanh", kind));
}

constexpr operator_def gelu_definition() {
  auto definition = of_floats<unary_function::gelu>("Gelu");
  definition.first_opset = 20;
  definition.check = check_approximation;
  return definition;
}

} // namespace

const operator_def relu = of_numbers<unary_function::relu>("Relu");
const operator_def leaky_relu = of_floats<unary_function::leaky_relu>("LeakyRelu");
const operator_def elu = of_floats<unary_function::elu>("Elu");
const operator_def selu = of_floats<unary_function::selu>("Selu");
const operator_def celu = of_floats<unary_function::celu>("Celu");
const operator_def thresholded_relu =
    of_floats<unary_function::thresholded_relu>("ThresholdedRelu");
const operator_def sigmoid = of_floats<unary_function::sigmoid>("Sigmoid");
const operator_def hard_sigmoid = of_floats<unary_function::hard_sigmoid>("HardSigmoid");
const operator_def hard_swish = of_floats<unary_function::hard_swish>("HardSwish");
const operator_def softplus = of_floats<unary_function::softplus>("Softplus");
const operator_def softsign = of_floats<unary_function::softsign>("Softsign");
const operator_def tanh = of_floats<unary_function::tanh>("Tanh");
const operator_def erf = of_floats<unary_function::erf>("Erf");
const operator_def gelu = gelu_definition();
const operator_def microsoft_gelu = of_floats<unary_function::gelu>("Gelu", "com.microsoft");
const operator_def fast_gelu = fast_gelu_definition();
const operator_def quick_gelu = of_floats<unary_function::swish>("QuickGelu", "com.microsoft");
const operator_def shrink = of_floats<unary_function::shrink>("Shrink");
const operator_def mish = of_floats<unary_function::mish>("Mish");
const operator_def exp = of_floats<unary_function::exp>("Exp");
const operator_def log = of_floats<unary_function::log>("Log");
const operator_def sqrt = of_floats<unary_function::sqrt>("Sqrt");
const operator_def reciprocal = of_floats<unary_function::reciprocal>("Reciprocal");
const operator_def neg = of_numbers<unary_function::neg>("Neg");
const operator_def abs = of_numbers<unary_function::abs>("Abs");
const operator_def sign = of_numbers<unary_function::sign>("Sign");
const operator_def floor = of_floats<unary_function::floor>("Floor");
const operator_def ceil = of_floats<unary_function::ceil>("Ceil");
const operator_def round = of_floats<unary_function::round>("Round");
const operator_def sin = of_floats<unary_function::sin>("Sin");
const operator_def cos = of_floats<unary_function::cos>("Cos");
const operator_def tan = of_floats<unary_function::tan>("Tan");
const operator_def asin = of_floats<unary_function::asin>("Asin");
const operator_def acos = of_floats<unary_function::acos>("Acos");
const operator_def atan = of_floats<unary_function::atan>("Atan");
const operator_def sinh = of_floats<unary_function::sinh>("Sinh");
const operator_def cosh = of_floats<unary_function::cosh>("Cosh");
const operator_def asinh = of_floats<unary_function::asinh>("Asinh");
const operator_def acosh = of_floats<unary_function::acosh>("Acosh");
const operator_def atanh = of_floats<unary_function::atanh>("Atanh");

} // namespace shoal::operators
