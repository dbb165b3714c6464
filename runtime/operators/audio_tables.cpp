#include "kernels/reference/convert.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/onnx_dtype.hpp"
#include "runtime/operators/operators.hpp"

#include <cmath>
#include <numbers>

/// Tables of audio processing: windows, and the weights of the mel scale. All are known before the
/// first run, as their sizes are values of inputs.
namespace shoal::operators {
namespace {

using arguments::refuse;

/// The elements that `f` gives, in the type that the attribute output_datatype names.
template <class F>
result<std::vector<tensor>> table(const node_context& c, const shape& dims, F f) {
  const auto number = c.attrs().get_int("output_datatype", 1);
  const auto type = dtype_of_onnx(number);
  if (!type || *type == dtype::boolean)
    return refuse(c, errc::unsupported, "element type {} is not supported", number);
  SHOAL_TRY(const auto checked, arguments::checked_shape(c, dims.span()));
  SHOAL_TRY(auto out, tensor::allocate({*type, checked}));
  visit_dtype(*type, [&]<class T>(std::type_identity<T>) {
    auto values = out.mutable_values<T>();
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = reference::convert<T>(f(static_cast<std::int64_t>(i)));
  });
  return std::vector{out};
}

result<std::int64_t> count_input(const node_context& c, std::size_t i, std::string_view name) {
  SHOAL_TRY(const auto values, arguments::constant_ints(c, i, name));
  if (values.size() != 1 || values[0] < 0)
    return refuse(c, errc::invalid_argument, "input {} '{}' is no number of at least 0", i, name);
  return values[0];
}

/// a - b cos(x) + c cos(2 x), with x going once around in `size` steps, or one less if symmetric.
result<std::vector<tensor>> cosine_window(const node_context& c, double a, double b,
                                          double second) {
  SHOAL_TRY(const auto size, count_input(c, 0, "size"));
  const bool periodic = c.attrs().get_int("periodic", 1) != 0;
  const double steps = static_cast<double>(periodic ? size : size - 1);
  return table(c, {size}, [=](std::int64_t i) {
    if (steps == 0) return 1.0; // a symmetric window of one element
    const double x = 2 * std::numbers::pi * static_cast<double>(i) / steps;
    return a - b * std::cos(x) + second * std::cos(2 * x);
  });
}

result<std::vector<tensor>> hann(const node_context& c) {
  return cosine_window(c, 0.5, 0.5, 0);
}
result<std::vector<tensor>> hamming(const node_context& c) {
  return cosine_window(c, 25.0 / 46, 21.0 / 46, 0);
}
result<std::vector<tensor>> blackman(const node_context& c) {
  return cosine_window(c, 0.42, 0.5, 0.08);
}

result<double> hertz_input(const node_context& c, std::size_t i) {
  SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  const tensor* value = c.inputs[i].constant;
  if (value == nullptr || value->element_count() != 1)
    return refuse(c, value == nullptr ? errc::needs_values : errc::malformed,
                  "input {}: expected one number known before the first run", i);
  double hertz = 0;
  visit_dtype(value->element_type(), [&]<class T>(std::type_identity<T>) {
    hertz = reference::convert<double>(value->values<T>()[0]);
  });
  if (!(hertz >= 0 && std::isfinite(hertz)))
    return refuse(c, errc::invalid_argument, "input {}: {} is no frequency", i, hertz);
  return hertz;
}

/// The triangular filter from `low` over `center` to `high` at spectrum bin `bin`.
double triangle(double bin, double low, double center, double high) {
  if (bin == center) return 1;
  if (bin >= low && bin < center) return (bin - low) / (center - low);
  if (bin > center && bin < high) return (high - bin) / (high - center);
  return 0;
}

/// [dft_length / 2 + 1,num_mel_bins]: band i rises from edge i of the mel scale to edge i + 1 and
/// falls to edge i + 2.
result<std::vector<tensor>> mel_weights(const node_context& c) {
  SHOAL_TRY(const auto bands, count_input(c, 0, "num_mel_bins"));
  SHOAL_TRY(const auto length, count_input(c, 1, "dft_length"));
  SHOAL_TRY(const auto rate, count_input(c, 2, "sample_rate"));
  SHOAL_TRY(const double low, hertz_input(c, 3));
  SHOAL_TRY(const double high, hertz_input(c, 4));
  if (rate == 0) return refuse(c, errc::invalid_argument, "sample_rate is 0");
  if (high < low)
    return refuse(c, errc::invalid_argument, "upper_edge_hertz {} is below lower_edge_hertz {}",
                  high, low);
  const shape dims{length / 2 + 1, bands};
  SHOAL_CHECK(arguments::checked_shape(c, dims.span()));
  const auto to_mel = [](double hertz) { return 2595 * std::log10(1 + hertz / 700); };
  const double step = (to_mel(high) - to_mel(low)) / static_cast<double>(bands + 2);
  const auto edge = [&](std::int64_t i) {
    const double mel = to_mel(low) + static_cast<double>(i) * step;
    const double hertz = 700 * (std::pow(10, mel / 2595) - 1);
    return std::floor(static_cast<double>(length + 1) * hertz / static_cast<double>(rate));
  };
  return table(c, dims, [&](std::int64_t i) {
    const auto band = i % bands;
    return triangle(static_cast<double>(i / bands), edge(band), edge(band + 1), edge(band + 2));
  });
}

template <auto Evaluate>
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto values, Evaluate(c));
  return std::vector<tensor_type>{values[0].type()};
}

} // namespace

const operator_def hann_window{
    .name = "HannWindow", .first_opset = 17, .infer = infer<hann>, .evaluate = hann};
const operator_def hamming_window{
    .name = "HammingWindow", .first_opset = 17, .infer = infer<hamming>, .evaluate = hamming};
const operator_def blackman_window{
    .name = "BlackmanWindow", .first_opset = 17, .infer = infer<blackman>, .evaluate = blackman};
const operator_def mel_weight_matrix{.name = "MelWeightMatrix",
                                     .first_opset = 17,
                                     .min_inputs = 5,
                                     .max_inputs = 5,
                                     .infer = infer<mel_weights>,
                                     .evaluate = mel_weights};

} // namespace shoal::operators
