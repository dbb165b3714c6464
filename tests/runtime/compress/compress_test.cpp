#include "runtime/compress/compare_models.hpp"
#include "runtime/compress/quantize_model.hpp"
#include "runtime/compress/shrink_weights.hpp"
#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/sketch.hpp"
#include "tests/support/node_runner.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace shoal;
using namespace shoal::test;

namespace {

/// A residual network of three convolutions, a pool and a classifier, with normalisation.
graph small_network(int opset = 13) {
  const auto weights = [](const shape& dims, std::uint64_t seed) {
    return random_tensor({dtype::f32, dims}, seed, -0.3, 0.3);
  };
  sketch s(opset);
  s.input("x", {2, 3, 12, 12});
  s.constant("w1", weights({8, 3, 3, 3}, 1)).constant("b1", weights({8}, 2));
  s.constant("w2", weights({8, 8, 3, 3}, 3)).constant("w3", weights({8, 8, 1, 1}, 4));
  s.constant("scale", random_tensor({dtype::f32, {8}}, 5, 0.5, 2))
      .constant("shift", weights({8}, 6));
  s.constant("mean", weights({8}, 7)).constant("var", random_tensor({dtype::f32, {8}}, 8, 0.5, 2));
  s.constant("fw", weights({5, 8}, 9)).constant("fb", weights({5}, 10));
  const auto same = with("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  s.node("Conv", {"x", "w1", "b1"}, {"c1"}, same).node("Relu", {"c1"}, {"r1"});
  s.node("MaxPool", {"r1"}, {"p"},
         with("kernel_shape", std::vector<std::int64_t>{2, 2},
              with("strides", std::vector<std::int64_t>{2, 2})));
  s.node("Conv", {"p", "w2"}, {"c2"}, same);
  s.node("BatchNormalization", {"c2", "scale", "shift", "mean", "var"}, {"n"});
  s.node("Relu", {"n"}, {"r2"}).node("Conv", {"r2", "w3"}, {"c3"});
  s.node("Add", {"p", "c3"}, {"sum"}).node("Relu", {"sum"}, {"r3"});
  s.node("GlobalAveragePool", {"r3"}, {"g"}).node("Flatten", {"g"}, {"f"});
  s.node("Gemm", {"f", "fw", "fb"}, {"y"}, with("transB", std::int64_t{1}));
  return s.output("y", dtype::f32).build();
}

std::vector<model_sample> samples(int count, std::uint64_t seed) {
  std::vector<model_sample> made;
  for (int i = 0; i < count; ++i)
    made.push_back(
        {random_tensor({dtype::f32, {2, 3, 12, 12}}, seed + static_cast<std::uint64_t>(i))});
  return made;
}

model_difference difference(const graph& original, const graph& changed) {
  const auto compared = compare_models(original, changed, samples(4, 90), 1, 1);
  REQUIRE_MESSAGE(compared, (compared ? std::string() : compared.error().message()));
  return compared->difference;
}

std::uint64_t constant_bytes(const graph& model) {
  std::uint64_t bytes = 0;
  for (const auto& value : model.values())
    if (value.is_constant()) bytes += value.constant.byte_size();
  return bytes;
}

graph round_trip(const graph& model) {
  const auto bytes = export_onnx_bytes(model);
  REQUIRE(bytes);
  auto back = import_onnx_bytes(bytes_of(*bytes));
  REQUIRE_MESSAGE(back, (back ? std::string() : back.error().message()));
  return *back->model;
}

} // namespace

TEST_CASE("a quantised network runs in integers and stays within a few percent") {
  const auto original = small_network();
  const auto made = quantize_model(original, samples(6, 1), {});
  REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
  CHECK(made->quantized_nodes == 4);
  const auto written = round_trip(made->model);
  const auto d = difference(original, written);
  CHECK(d.samples == 4);
  CHECK(d.relative_rms < 0.05);
  CHECK(d.relative_rms > 0); // it is not the original
  const auto integer = rewrite_for_cpu(std::make_shared<const graph>(written));
  REQUIRE(integer);
  CHECK(operators_of(**integer) ==
        "QuantizeLinear QLinearConv MaxPool QLinearConv QLinearConv QLinearAdd "
        "QLinearGlobalAveragePool Flatten QGemm");
  CHECK(static_cast<double>(constant_bytes(made->model)) <
        0.5 * static_cast<double>(constant_bytes(original)));
}

TEST_CASE("below opset 13 weights have one scale, and below 10 there are none") {
  const auto original = small_network(12);
  const auto made = quantize_model(original, samples(3, 1), {});
  REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
  CHECK(difference(original, round_trip(made->model)).relative_rms < 0.1);
  for (const auto& node : made->model.nodes()) CHECK(!node.attrs.contains("axis"));
  CHECK(!made->per_channel);
  const auto refused = quantize_model(small_network(9), samples(1, 1), {});
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::unsupported);
}

TEST_CASE("calibration needs inputs, and numbers") {
  const auto model = small_network();
  CHECK(!quantize_model(model, {}, {}));
  auto bad = samples(1, 1);
  bad[0][0].mutable_values<float>()[0] = std::numeric_limits<float>::infinity();
  const auto refused = quantize_model(model, bad, {});
  REQUIRE(!refused);
  CHECK(refused.error().message().find("infinity or NaN") != std::string::npos);
  sketch nothing;
  const auto plain = nothing.input("x", {2}).node("Relu", {"x"}, {"y"}).output("y").build();
  CHECK(!quantize_model(plain, std::vector<model_sample>{{tensor::of<float>({2}, {1, 2})}}, {}));
}

TEST_CASE("a percentile leaves rare extremes out of the range") {
  sketch s;
  const auto model = s.input("x", {1000}).node("Neg", {"x"}, {"y"}).output("y").build();
  std::vector<float> numbers(1000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 100) / 100;
  numbers[500] = -400;
  const std::vector<model_sample> sample{{tensor::of<float>({1000}, numbers)}};
  const auto y = model.outputs()[0];
  const auto all = observe_ranges(model, {&y, 1}, sample, {});
  REQUIRE(all);
  CHECK((*all)[0].high == 400);
  CHECK((*all)[0].low == doctest::Approx(-0.99f));
  const auto most = observe_ranges(model, {&y, 1}, sample, {.percentile = 99});
  REQUIRE(most);
  CHECK((*most)[0].high < 1);
  CHECK((*most)[0].low <= -0.9f);
}

namespace {

value_range range_of(const std::vector<float>& numbers, range_rule rule) {
  sketch s;
  const auto count = static_cast<std::int64_t>(numbers.size());
  const auto model = s.input("x", {count}).node("Identity", {"x"}, {"y"}).output("y").build();
  const auto y = model.outputs()[0];
  const std::vector<model_sample> sample{{tensor::of<float>({count}, numbers)}};
  const auto ranges = observe_ranges(model, {&y, 1}, sample, {.rule = rule});
  REQUIRE(ranges);
  return (*ranges)[0];
}

/// The mean square of what 256 values between the ends of a range make wrong.
double quantization_error(const std::vector<float>& numbers, const value_range& range) {
  const double unit = static_cast<double>(range.high - range.low) / 255;
  double sum = 0;
  for (const float x : numbers) {
    const auto inside = static_cast<double>(std::clamp(x, range.low, range.high) - range.low);
    const double off = std::nearbyint(inside / unit) * unit -
                       (static_cast<double>(x) - static_cast<double>(range.low));
    sum += off * off;
  }
  return sum / static_cast<double>(numbers.size());
}

} // namespace

TEST_CASE("entropy leaves rare extremes out, and nothing of what is spread evenly") {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<float> even(-1, 1);
  std::vector<float> numbers(20000);
  for (auto& x : numbers) x = even(random);
  const auto whole = range_of(numbers, range_rule::entropy);
  CHECK(whole.low < -0.98f);
  CHECK(whole.high > 0.98f);

  for (auto& x : numbers) x = even(random) + even(random) + even(random) + even(random);
  const auto bulk = numbers;
  for (std::size_t i = 0; i < 4; ++i) numbers[i] = 80;
  const auto cut = range_of(numbers, range_rule::entropy);
  CHECK(cut.high < 20);
  CHECK(cut.high > 2.5f);
  CHECK(cut.low < -2.5f);
  CHECK(quantization_error(bulk, cut) <
        quantization_error(bulk, range_of(numbers, range_rule::percentile)) / 10);

  for (auto& x : numbers) x = std::max(x, 0.0f); // mostly zeros, as an activation leaves them
  const auto positive = range_of(numbers, range_rule::entropy);
  CHECK(positive.low == 0);
  CHECK(positive.high < 20);
  CHECK(positive.high > 2.5f);
}

TEST_CASE("entropy copes with what has no spread") {
  CHECK(range_of({0, 0, 0}, range_rule::entropy).high == 0);
  CHECK(range_of({5, 5, 5, 5}, range_rule::entropy).high == 5);
  CHECK(range_of({-3, 0, 0}, range_rule::entropy).low == -3);
}

TEST_CASE("half-precision weights take half the bytes and change little") {
  const auto original = small_network();
  for (const auto type : {dtype::f16, dtype::bf16}) {
    const auto made = with_half_weights(original, type);
    REQUIRE(made);
    const auto d = difference(original, round_trip(*made));
    CHECK(d.relative_rms < (type == dtype::f16 ? 1e-3 : 1e-2));
    CHECK(static_cast<double>(constant_bytes(*made)) <
          0.65 * static_cast<double>(constant_bytes(original)));
  }
  CHECK(!with_half_weights(small_network(12), dtype::bf16));
  sketch s;
  s.input("x", {64}).constant("big", tensor::of<float>({64}, std::vector<float>(64, 1e6f)));
  const auto big = s.node("Add", {"x", "big"}, {"y"}).output("y").build();
  const auto refused = with_half_weights(big, dtype::f16);
  REQUIRE(!refused);
  CHECK(refused.error().message().find("'big'") != std::string::npos);
  CHECK(with_half_weights(big, dtype::bf16));
}

TEST_CASE("pruning zeroes the smallest weights, as many as asked for") {
  const auto original = small_network();
  const auto made = with_pruned_weights(original, 0.5);
  REQUIRE(made);
  CHECK(zero_share(original) == 0);
  CHECK(zero_share(*made) > 0.4);
  CHECK(zero_share(*made) < 0.5); // biases stay
  const auto same = with_pruned_weights(original, 0);
  REQUIRE(same);
  CHECK(difference(original, *same).largest == 0);
  CHECK(difference(original, *made).same_class.has_value());
  CHECK(!with_pruned_weights(original, 1));
  CHECK(!with_pruned_weights(original, std::nan("")));
}

TEST_CASE("a model of two bare convolutions is quantised, too") {
  sketch s; // of few values: their list grows with every constant that is added
  s.input("x", {2, 3, 12, 12}).constant("w", random_tensor({dtype::f32, {16, 3, 3, 3}}, 1));
  s.constant("v", random_tensor({dtype::f32, {4, 16, 1, 1}}, 2));
  s.node("Conv", {"x", "w"}, {"c"}).node("Relu", {"c"}, {"r"}).node("Conv", {"r", "v"}, {"y"});
  const auto original = s.output("y", dtype::f32).build();
  const auto made = quantize_model(original, samples(3, 1), {});
  REQUIRE(made);
  CHECK(difference(original, made->model).relative_rms < 0.05);
}
