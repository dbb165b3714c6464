#include "runtime/operators/recurrent_rules.hpp"

#include "kernels/cpu/recurrent.hpp"
#include "kernels/reference/recurrent.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>
#include <cctype>

namespace shoal::rules {
namespace {

using arguments::refuse;
using cell = recurrent_problem::cell;

struct named_function {
  std::string_view name;
  gate_function function; ///< with its defaults
  int parameters;         ///< how many of alpha, beta it takes
};

constexpr auto unary_kind = gate_function::kind::unary;

/// The specification gives no defaults for Affine, ThresholdedRelu and ScaledTanh; these are those
/// of ONNX Runtime where it has any.
constexpr named_function functions[] = {
    {"sigmoid", {unary_kind, unary_function::sigmoid, 0, 0}, 0},
    {"tanh", {unary_kind, unary_function::tanh, 0, 0}, 0},
    {"relu", {unary_kind, unary_function::relu, 0, 0}, 0},
    {"softsign", {unary_kind, unary_function::softsign, 0, 0}, 0},
    {"softplus", {unary_kind, unary_function::softplus, 0, 0}, 0},
    {"leakyrelu", {unary_kind, unary_function::leaky_relu, 0.01, 0}, 1},
    {"thresholdedrelu", {unary_kind, unary_function::thresholded_relu, 1, 0}, 1},
    {"elu", {unary_kind, unary_function::elu, 1, 0}, 1},
    {"hardsigmoid", {unary_kind, unary_function::hard_sigmoid, 0.2, 0.5}, 2},
    {"affine", {gate_function::kind::affine, unary_function::tanh, 1, 0}, 2},
    {"scaledtanh", {gate_function::kind::scaled_tanh, unary_function::tanh, 1, 1}, 2},
};

const named_function* find_function(std::string_view name) {
  std::string lower(name);
  for (auto& ch : lower) ch = static_cast<char>(std::tolower(static_cast<unsigned char>(ch)));
  for (const auto& f : functions)
    if (f.name == lower) return &f;
  return nullptr;
}

int directions_of(const attributes& attrs) {
  return attrs.get_string("direction", "forward") == "bidirectional" ? 2 : 1;
}

std::size_t functions_of(cell type) {
  return type == cell::rnn ? 1 : type == cell::gru ? 2 : 3;
}

/// The names of the functions of all directions.
std::vector<std::string> function_names(const attributes& attrs, cell type) {
  if (const auto* given = attrs.get<std::vector<std::string>>("activations");
      given != nullptr && !given->empty())
    return *given;
  const std::vector<std::string> defaults =
      type == cell::rnn   ? std::vector<std::string>{"Tanh"}
      : type == cell::gru ? std::vector<std::string>{"Sigmoid", "Tanh"}
                          : std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"};
  auto all = defaults;
  if (directions_of(attrs) == 2) all.insert(all.end(), defaults.begin(), defaults.end());
  return all;
}

/// Parameters are used up in the order of the functions that take them; then defaults hold.
void read_functions(const attributes& attrs, recurrent_problem& p) {
  const auto names = function_names(attrs, p.type);
  const auto* alphas = attrs.get<std::vector<float>>("activation_alpha");
  const auto* betas = attrs.get<std::vector<float>>("activation_beta");
  std::size_t next_alpha = 0, next_beta = 0;
  const auto per_direction = functions_of(p.type);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto* named = find_function(names[i]);
    auto f = named->function;
    if (named->parameters > 0 && alphas != nullptr && next_alpha < alphas->size())
      f.alpha = static_cast<double>((*alphas)[next_alpha++]);
    if (named->parameters > 1 && betas != nullptr && next_beta < betas->size())
      f.beta = static_cast<double>((*betas)[next_beta++]);
    p.functions[i / per_direction][i % per_direction] = f;
  }
}

/// For a node that `check_recurrent` and `infer_recurrent` let through.
recurrent_problem problem_of(const node_context& c, cell type) {
  const auto& attrs = c.attrs();
  recurrent_problem p;
  p.type = type;
  p.batch_first = attrs.get_int("layout", 0) != 0;
  p.directions = directions_of(attrs);
  p.backward = attrs.get_string("direction", "forward") == "reverse";
  const auto& x = c.dims(recurrent_x);
  p.steps = x[p.batch_first ? 1 : 0];
  p.batch = x[p.batch_first ? 0 : 1];
  p.inputs = x[2];
  p.hidden = c.dims(recurrent_r)[2];
  if (attrs.contains("clip")) p.clip = static_cast<double>(attrs.get_float("clip", 0));
  p.input_forget = type == cell::lstm && attrs.get_int("input_forget", 0) != 0;
  p.linear_before_reset = type == cell::gru && attrs.get_int("linear_before_reset", 0) != 0;
  read_functions(attrs, p);
  return p;
}

result<void> expect_dims(const node_context& c, std::size_t i, const shape& expected) {
  if (!c.has(i) || c.dims(i) == expected) return {};
  return refuse(c, errc::invalid_argument, "input {}: expected {}, got {}", i, to_string(expected),
                to_string(c.dims(i)));
}

result<void> check_operands(const node_context& c, const recurrent_problem& p) {
  const std::int64_t d = p.directions, n = p.hidden;
  SHOAL_CHECK(expect_dims(c, recurrent_w, {d, p.gates() * n, p.inputs}));
  SHOAL_CHECK(expect_dims(c, recurrent_r, {d, p.gates() * n, n}));
  SHOAL_CHECK(expect_dims(c, recurrent_bias, {d, 2 * p.gates() * n}));
  SHOAL_CHECK(expect_dims(c, recurrent_lengths, {p.batch}));
  const shape state = p.batch_first ? shape{p.batch, d, n} : shape{d, p.batch, n};
  SHOAL_CHECK(expect_dims(c, recurrent_initial_h, state));
  SHOAL_CHECK(expect_dims(c, recurrent_initial_c, state));
  return expect_dims(c, recurrent_peepholes, {d, 3 * n});
}

} // namespace

result<void> check_recurrent(const graph_node& node, cell type) {
  const auto& attrs = node.attrs;
  const auto refused = [&](errc code, std::string_view what) {
    return node_error(node, code, what);
  };
  const auto direction = attrs.get_string("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    return refused(errc::malformed, fmt::format("direction '{}' is none of forward, reverse and "
                                                "bidirectional",
                                                direction));
  if (const auto layout = attrs.get_int("layout", 0); layout != 0 && layout != 1)
    return refused(errc::malformed, fmt::format("layout is {}, expected 0 or 1", layout));
  if (attrs.contains("clip") && !(attrs.get_float("clip", 0) >= 0))
    return refused(errc::malformed, "clip is no positive number");
  const auto names = function_names(attrs, type);
  const auto expected = functions_of(type) * static_cast<std::size_t>(directions_of(attrs));
  if (names.size() != expected)
    return refused(errc::malformed,
                   fmt::format("{} activations, expected {}", names.size(), expected));
  for (const auto& name : names)
    if (find_function(name) == nullptr)
      return refused(errc::unsupported,
                     fmt::format("activation '{}' is not supported; Sigmoid, Tanh, Relu, Softsign, "
                                 "Softplus, LeakyRelu, ThresholdedRelu, Elu, HardSigmoid, Affine "
                                 "and ScaledTanh are",
                                 name.substr(0, 100)));
  const std::size_t most = type == cell::lstm ? 3 : 2;
  if (node.outputs.empty() || node.outputs.size() > most)
    return refused(errc::malformed,
                   fmt::format("expected 1 to {} outputs, got {}", most, node.outputs.size()));
  return {};
}

result<std::vector<tensor_type>> infer_recurrent(const node_context& c, cell type) {
  SHOAL_CHECK(
      arguments::expect_type(c, recurrent_x, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    if (!c.has(i)) continue;
    if (i == recurrent_lengths) {
      SHOAL_CHECK(arguments::expect_type(c, i, {dtype::i32}));
    } else {
      SHOAL_CHECK(arguments::expect_same_type(c, i, recurrent_x));
    }
  }
  for (const std::size_t i : {recurrent_x, recurrent_w, recurrent_r})
    if (c.dims(i).rank() != 3)
      return refuse(c, errc::invalid_argument, "input {}: expected 3 axes, got {}", i,
                    to_string(c.dims(i)));
  const auto p = problem_of(c, type);
  if (const auto said = c.attrs().get_int("hidden_size", p.hidden); said != p.hidden)
    return refuse(c, errc::invalid_argument, "hidden_size is {}, but R is {}", said,
                  to_string(c.dims(recurrent_r)));
  SHOAL_CHECK(check_operands(c, p));
  const std::int64_t d = p.directions;
  const shape y =
      p.batch_first ? shape{p.batch, p.steps, d, p.hidden} : shape{p.steps, d, p.batch, p.hidden};
  const shape state = p.batch_first ? shape{p.batch, d, p.hidden} : shape{d, p.batch, p.hidden};
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, y.span()));
  // What both kernels keep between steps: gates of all steps.
  const shape gates{p.steps, p.batch, p.gates() * p.hidden};
  SHOAL_CHECK(arguments::checked_shape(c, gates.span()));
  std::vector<tensor_type> types{{c.type(0), checked}, {c.type(0), state}};
  if (type == cell::lstm) types.push_back({c.type(0), state});
  types.resize(std::min(types.size(), std::max<std::size_t>(c.node.outputs.size(), 1)));
  return types;
}

operator_cost recurrent_cost(const node_context& c, cell type) {
  const auto p = problem_of(c, type);
  const auto product = [](auto... extents) { return (1.0 * ... * static_cast<double>(extents)); };
  const auto steps = product(p.directions, p.steps, p.batch, p.gates(), p.hidden);
  double bytes =
      product(p.directions, p.steps, p.batch, p.hidden) * static_cast<double>(size_of(c.type(0)));
  for (const auto& in : c.inputs)
    if (in.present)
      bytes += static_cast<double>(in.type.dims.element_count()) *
               static_cast<double>(size_of(in.type.type));
  return {steps * (2.0 * static_cast<double>(p.inputs + p.hidden) + 10.0), bytes};
}

std::optional<interval> recurrent_field(const node_context& c, std::size_t input, int axis,
                                        interval wanted) {
  const bool batch_first = c.attrs().get_int("layout", 0) != 0;
  const bool has_batch = input == recurrent_x || input == recurrent_lengths ||
                         input == recurrent_initial_h || input == recurrent_initial_c;
  if (!batch_first || axis != 0 || !has_batch) return std::nullopt;
  return wanted;
}

std::optional<int> split_recurrent(const node_context& c, std::span<const int> split) {
  if (std::all_of(split.begin(), split.end(), [](int axis) { return axis == unsplit; }))
    return unsplit;
  const bool batch_first = c.attrs().get_int("layout", 0) != 0;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (!c.has(i)) continue;
    const bool state = i == recurrent_initial_h || i == recurrent_initial_c;
    int batch_axis = unsplit;
    if (i == recurrent_x || state) batch_axis = batch_first ? 0 : 1;
    if (i == recurrent_lengths) batch_axis = 0;
    if (split[i] != batch_axis) return std::nullopt;
  }
  if (batch_first) return 0;
  const auto& outputs = c.node.outputs;
  const bool y = !outputs.empty() && outputs[0] != no_value;
  const bool states = std::any_of(outputs.begin() + (outputs.empty() ? 0 : 1), outputs.end(),
                                  [](value_id id) { return id != no_value; });
  if (y && states) return std::nullopt;
  return y ? 2 : 1;
}

result<std::unique_ptr<kernel>> prepare_recurrent(const prepare_context& c, cell type) {
  if (c.type(recurrent_x) != dtype::f32) return nullptr;
  auto made = kernels::make_recurrent(problem_of(c, type), c.threads);
  if (made == nullptr) return nullptr;
  for (auto& product : made->products()) {
    const tensor* constant = c.inputs[product.weights].constant;
    if (constant == nullptr) continue;
    const auto from = static_cast<std::size_t>(product.offset) * sizeof(float);
    const auto form = product.work->form();
    tensor bytes = *constant;
    const auto* data = constant->data() + from;
    if (!form.empty()) {
      const auto pack = [&](const tensor& original) -> result<tensor> {
        SHOAL_TRY(auto packed,
                  tensor::allocate(
                      {dtype::u8, {static_cast<std::int64_t>(product.work->packed_bytes())}}));
        product.work->pack(original.data() + from, packed.mutable_data());
        return packed;
      };
      SHOAL_TRY(bytes, c.weights.get(*constant, fmt::format("{} from {}", form, from), pack));
      data = bytes.data();
    }
    product.work->use_packed({std::make_shared<tensor>(std::move(bytes)), data});
    product.is_packed = true;
  }
  return made;
}

result<std::unique_ptr<kernel>> prepare_recurrent_reference(const prepare_context& c, cell type) {
  const auto p = problem_of(c, type);
  return function_kernel([p](const kernel_io& io) { reference::recurrent(p, io); },
                         {.scratch_bytes = reference::recurrent_scratch(p)});
}

} // namespace shoal::rules
