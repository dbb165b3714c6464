#include "kernels/random.hpp"

#include "kernels/kernel.hpp"
#include "kernels/reference/convert.hpp"
#include "kernels/reference/floating.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/onnx_dtype.hpp"
#include "runtime/operators/operators.hpp"

#include <bit>

/// Operators that draw random numbers. ONNX leaves the generator open; here a request that is asked
/// again gets the same bits, in this process or another: the seed is the attribute, or without it
/// the node's name, and draw i belongs to element i. So no run continues where the last one ended,
/// and a batch that is cut in parts would draw other numbers: none of them splits.
namespace shoal::operators {
namespace {

using arguments::refuse;

random_sequence sequence_of(const graph_node& node) {
  if (const auto* seed = node.attrs.get<float>("seed"))
    return random_sequence(std::bit_cast<std::uint32_t>(*seed));
  return random_sequence(random_sequence::seed_of(node.name));
}

/// The attribute dtype, or `fallback`.
result<dtype> type_of(const node_context& c, dtype fallback) {
  if (!c.attrs().contains("dtype")) return fallback;
  const auto number = c.attrs().get_int("dtype", 0);
  const auto type = dtype_of_onnx(number);
  if (!type) return refuse(c, errc::unsupported, "element type {} is not supported", number);
  return *type;
}

result<std::vector<tensor_type>> infer_drawn(const node_context& c) {
  const bool like = c.has(0);
  SHOAL_TRY(const auto type, type_of(c, like ? c.type(0) : dtype::f32));
  if (!is_floating(type))
    return refuse(c, errc::invalid_argument, "{} has no fractions to draw", to_string(type));
  SHOAL_TRY(const auto dims,
            arguments::checked_shape(c, like ? c.dims(0).span() : c.attrs().get_ints("shape")));
  return arguments::one_output(type, dims);
}

template <class F>
result<std::vector<tensor>> draw(const node_context& c, F f) {
  SHOAL_TRY(const auto types, infer_drawn(c));
  SHOAL_TRY(auto out, tensor::allocate(types[0]));
  const auto numbers = sequence_of(c.node);
  reference::visit_floating(types[0].type, [&]<class T>(std::type_identity<T>) {
    auto values = out.mutable_values<T>();
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = reference::rounded<T>(f(numbers, i));
  });
  return std::vector{out};
}

result<std::vector<tensor>> uniform(const node_context& c) {
  const double low = static_cast<double>(c.attrs().get_float("low", 0));
  const double high = static_cast<double>(c.attrs().get_float("high", 1));
  return draw(c, [=](const random_sequence& numbers, std::size_t i) {
    return low + (high - low) * numbers.uniform(i);
  });
}

result<std::vector<tensor>> normal(const node_context& c) {
  const double mean = static_cast<double>(c.attrs().get_float("mean", 0));
  const double scale = static_cast<double>(c.attrs().get_float("scale", 1));
  return draw(c, [=](const random_sequence& numbers, std::size_t i) {
    return mean + scale * numbers.normal(i);
  });
}

result<std::vector<tensor_type>> infer_bernoulli(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const auto type, type_of(c, c.type(0)));
  return arguments::one_output(type, c.dims(0));
}

/// 1 with the probability that the input states.
result<std::unique_ptr<kernel>> prepare_bernoulli(const prepare_context& c) {
  return function_kernel([numbers = sequence_of(c.node)](const kernel_io& io) {
    const auto& y = io.outputs[0];
    visit_dtype(y.type, [&]<class T>(std::type_identity<T>) {
      for (std::int64_t i = 0; i < y.element_count(); ++i) {
        const bool drawn =
            numbers.uniform(static_cast<std::uint64_t>(i)) < reference::element(io.inputs[0], i);
        y.as<T>()[i] = reference::convert<T>(drawn ? 1.0 : 0.0);
      }
    });
  });
}

result<std::vector<tensor_type>> infer_multinomial(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const auto type, type_of(c, dtype::i32));
  if (type != dtype::i32 && type != dtype::i64)
    return refuse(c, errc::invalid_argument, "dtype is {}, expected int32 or int64",
                  to_string(type));
  const auto& x = c.dims(0);
  if (x.rank() != 2 || x[1] < 1)
    return refuse(c, errc::invalid_argument, "input 0: expected [batch,classes], got {}",
                  to_string(x));
  const std::int64_t dims[] = {x[0], c.attrs().get_int("sample_size", 1)};
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, dims));
  return arguments::one_output(type, checked);
}

/// The first class at which the sum of the probabilities, e^(x - most) each, passes `limit`.
std::int64_t drawn_class(const const_view& x, std::int64_t row, double most, double limit) {
  const auto classes = x.dims[1];
  double sum = 0;
  for (std::int64_t c = 0; c < classes; ++c) {
    sum += std::exp(reference::element(x, row * classes + c) - most);
    if (limit < sum) return c;
  }
  return classes - 1;
}

result<std::unique_ptr<kernel>> prepare_multinomial(const prepare_context& c) {
  return function_kernel([numbers = sequence_of(c.node)](const kernel_io& io) {
    const const_view& x = io.inputs[0];
    const view& y = io.outputs[0];
    const auto classes = x.dims[1], samples = y.dims[1];
    for (std::int64_t row = 0; row < x.dims[0]; ++row) {
      double most = reference::element(x, row * classes), sum = 0;
      for (std::int64_t k = 1; k < classes; ++k)
        most = std::fmax(most, reference::element(x, row * classes + k));
      for (std::int64_t k = 0; k < classes; ++k)
        sum += std::exp(reference::element(x, row * classes + k) - most);
      for (std::int64_t s = 0; s < samples; ++s) {
        const auto i = row * samples + s;
        const auto drawn =
            drawn_class(x, row, most, numbers.uniform(static_cast<std::uint64_t>(i)) * sum);
        if (y.type == dtype::i32)
          y.as<std::int32_t>()[i] = static_cast<std::int32_t>(drawn);
        else
          y.as<std::int64_t>()[i] = drawn;
      }
    }
  });
}

constexpr kernel_entry bernoulli_kernels[] = {{"reference", prepare_bernoulli}};
constexpr kernel_entry multinomial_kernels[] = {{"reference", prepare_multinomial}};

} // namespace

const operator_def random_uniform{.name = "RandomUniform",
                                  .min_inputs = 0,
                                  .max_inputs = 0,
                                  .infer = infer_drawn,
                                  .evaluate = uniform};
const operator_def random_uniform_like{
    .name = "RandomUniformLike", .infer = infer_drawn, .evaluate = uniform};
const operator_def random_normal{.name = "RandomNormal",
                                 .min_inputs = 0,
                                 .max_inputs = 0,
                                 .infer = infer_drawn,
                                 .evaluate = normal};
const operator_def random_normal_like{
    .name = "RandomNormalLike", .infer = infer_drawn, .evaluate = normal};
const operator_def bernoulli{
    .name = "Bernoulli", .first_opset = 15, .infer = infer_bernoulli, .kernels = bernoulli_kernels};
const operator_def multinomial{.name = "Multinomial",
                               .first_opset = 7,
                               .infer = infer_multinomial,
                               .kernels = multinomial_kernels};

} // namespace shoal::operators
