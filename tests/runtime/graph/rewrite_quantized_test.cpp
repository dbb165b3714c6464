#include "runtime/session/binding.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor scalar(float value) {
  return tensor::of<float>({}, {value});
}

/// Writes graphs of DequantizeLinear, something, QuantizeLinear.
struct quantized_sketch {
  sketch s{13};

  quantized_sketch() {
    s.constant("u0", tensor::of<std::uint8_t>({}, {0}));
    s.constant("u120", tensor::of<std::uint8_t>({}, {120}));
    s.constant("i0", tensor::of<std::int8_t>({}, {0}));
  }
  /// The quantised graph input `name` and, as real numbers, `name`/real.
  void input(const std::string& name, const shape& dims, float scale) {
    s.input(name, dims, dtype::u8).constant(name + "/scale", scalar(scale));
    s.node("DequantizeLinear", {name, name + "/scale", "u120"}, {name + "/real"});
  }
  /// int8 weights with a scale per index of `axis`.
  void weights(const std::string& name, const shape& dims, std::int64_t axis, std::uint64_t seed) {
    const auto channels = dims[static_cast<int>(axis)];
    s.constant(name, random_tensor({dtype::i8, dims}, seed, -127, 128));
    s.constant(name + "/scale", random_tensor({dtype::f32, {channels}}, seed + 1, 0.001, 0.01));
    s.constant(name + "/zero",
               tensor::of<std::int8_t>(
                   {channels}, std::vector<std::int8_t>(static_cast<std::size_t>(channels), 0)));
    s.node("DequantizeLinear", {name, name + "/scale", name + "/zero"}, {name + "/real"},
           with("axis", axis));
  }
  /// `real`, quantised, is the output y.
  graph quantise(const std::string& real, float scale, const std::string& zero = "u120") {
    s.constant("y/scale", scalar(scale));
    s.node("QuantizeLinear", {real, "y/scale", zero}, {"y"});
    return s.output("y", dtype::u8).build();
  }
};

graph with_integers(const graph& before) {
  rewrite_options options;
  options.evaluate = evaluate_node;
  return rewritten(before, options);
}

std::vector<tensor> bytes_for(const graph& model) {
  std::vector<tensor> inputs;
  for (const auto& type : input_types(model))
    inputs.push_back(random_tensor({dtype::u8, type.dims}, 50 + inputs.size(), 0, 256));
  return inputs;
}

/// Runs both; the rewritten one must have these operators and give results at most one step off.
void check_fused(const graph& before, const std::string& operators) {
  const auto after = with_integers(before);
  CHECK(operators_of(after) == operators);
  const auto inputs = bytes_for(before);
  const auto expected = run_graph(before, inputs), got = run_graph(after, inputs);
  REQUIRE(expected.size() == got.size());
  REQUIRE(expected[0].type() == got[0].type());
  REQUIRE(expected[0].element_type() == dtype::u8);
  int worst = 0, spread = 0;
  for (std::size_t i = 0; i < expected[0].values<std::uint8_t>().size(); ++i) {
    const int a = expected[0].values<std::uint8_t>()[i], b = got[0].values<std::uint8_t>()[i];
    worst = std::max(worst, std::abs(a - b));
    spread = std::max(spread, std::abs(a - expected[0].values<std::uint8_t>()[0]));
  }
  CHECK(worst <= 1);
  CHECK(spread > 20); // not all saturated
}

} // namespace

TEST_CASE("a quantised convolution becomes QLinearConv, its float bias integers") {
  for (const bool stored_bias : {true, false}) {
    quantized_sketch q;
    q.input("x", {2, 4, 7, 6}, 0.02f);
    q.weights("w", {6, 4, 3, 3}, 0, 3);
    if (stored_bias) {
      q.s.constant("b32", random_tensor({dtype::i32, {6}}, 5, -500, 500));
      const auto scales = random_tensor({dtype::f32, {6}}, 4, 0.001, 0.01);
      std::vector<float> units;
      for (const float scale : scales.values<float>()) units.push_back(scale * 0.02f);
      q.s.constant("b/scale", tensor::of<float>({6}, units));
      q.s.node("DequantizeLinear", {"b32", "b/scale"}, {"b"}, with("axis", std::int64_t{0}));
    } else {
      q.s.constant("b", random_tensor({dtype::f32, {6}}, 5));
    }
    q.s.node("Conv", {"x/real", "w/real", "b"}, {"c"},
             with("pads", std::vector<std::int64_t>{1, 1, 1, 1}));
    check_fused(q.quantise("c", 0.03f), "QLinearConv");
  }
}

TEST_CASE("an activation is left to saturation only where that does the same") {
  const auto model = [](const std::string& zero) {
    quantized_sketch q;
    q.input("x", {1, 4, 5, 5}, 0.02f);
    q.weights("w", {8, 4, 1, 1}, 0, 3);
    q.s.node("Conv", {"x/real", "w/real"}, {"c"}).node("Relu", {"c"}, {"r"});
    return q.quantise("r", 0.005f, zero);
  };
  check_fused(model("u0"), "QLinearConv");
  const auto kept = with_integers(model("u120"));
  CHECK(operators_of(kept).find("QLinearConv") == std::string::npos);
}

TEST_CASE("Gemm becomes QGemm, with and without quantised result") {
  quantized_sketch q;
  q.input("x", {5, 12}, 0.02f);
  q.weights("w", {7, 12}, 0, 3);
  q.s.constant("b", random_tensor({dtype::f32, {7}}, 5));
  q.s.node("Gemm", {"x/real", "w/real", "b"}, {"g"}, with("transB", std::int64_t{1}));
  auto open = q;
  check_fused(q.quantise("g", 0.03f), "QGemm");
  const auto real = open.s.output("g").build();
  const auto after = with_integers(real);
  CHECK(operators_of(after) == "QGemm");
  const auto inputs = bytes_for(real);
  CHECK(mismatch(run_graph(after, inputs)[0], run_graph(real, inputs)[0], 1e-4, 1e-3) <= 1);
}

TEST_CASE("MatMul with constant weights and a bias becomes one product of integers") {
  quantized_sketch q;
  q.input("x", {2, 5, 12}, 0.02f);
  q.weights("w", {12, 7}, 1, 3);
  q.s.constant("b", random_tensor({dtype::f32, {7}}, 5));
  q.s.node("MatMul", {"x/real", "w/real"}, {"m"}).node("Add", {"b", "m"}, {"sum"});
  check_fused(q.quantise("sum", 0.03f), "MatMulIntegerToFloat QuantizeLinear");
}

TEST_CASE("elementwise operators, pools and joins work on the integers") {
  for (const std::string op : {"Add", "Mul"}) {
    quantized_sketch q;
    q.input("a", {2, 3, 4}, 0.02f);
    q.input("b", {3, 1}, 0.03f);
    q.s.node(op, {"a/real", "b/real"}, {"sum"});
    check_fused(q.quantise("sum", 0.05f), "QLinear" + op);
  }
  {
    quantized_sketch q;
    q.input("a", {2, 3, 4}, 0.02f);
    q.input("b", {2, 1, 4}, 0.03f);
    q.s.node("Concat", {"a/real", "b/real"}, {"c"}, with("axis", std::int64_t{1}));
    check_fused(q.quantise("c", 0.03f), "QLinearConcat");
  }
  const std::pair<std::string, std::string> pairs[] = {
      {"Sigmoid", "QLinearSigmoid"},
      {"LeakyRelu", "QLinearLeakyRelu"},
      {"GlobalAveragePool", "QLinearGlobalAveragePool"}};
  for (const auto& [real, integer] : pairs) {
    quantized_sketch q;
    q.input("x", {2, 9, 3, 2}, 0.03f);
    q.s.node(real, {"x/real"}, {"r"});
    check_fused(
        q.quantise("r", real == "Sigmoid" ? 0.008f : 0.01f, real == "Sigmoid" ? "u0" : "u120"),
        integer);
  }
}

TEST_CASE("MaxPool runs on integers when both sides mean the same, and else as it was") {
  const auto model = [](float scale) {
    quantized_sketch q;
    q.input("x", {1, 2, 6, 6}, 0.02f);
    q.s.node("MaxPool", {"x/real"}, {"m"}, with("kernel_shape", std::vector<std::int64_t>{2, 2}));
    return q.quantise("m", scale);
  };
  check_fused(model(0.02f), "MaxPool");
  check_fused(model(0.03f), "DequantizeLinear MaxPool QuantizeLinear");
}

TEST_CASE("what others read, and what the switch forbids, stays real") {
  quantized_sketch q;
  q.input("x", {1, 4, 5, 5}, 0.02f);
  q.weights("w", {8, 4, 1, 1}, 0, 3);
  q.s.node("Conv", {"x/real", "w/real"}, {"c"});
  auto shared = q;
  shared.s.output("c");
  CHECK(operators_of(with_integers(shared.quantise("c", 0.03f))).find("QLinear") ==
        std::string::npos);
  rewrite_options off;
  off.fuse_quantized = false;
  const auto kept = rewrite(q.quantise("c", 0.03f), off);
  REQUIRE(kept);
  CHECK(operators_of(*kept).find("QLinear") == std::string::npos);
}

TEST_CASE("zero points that are left out are added without losing sight of the scales") {
  for (int spare = 0; spare < 6; ++spare) { // whenever the list of values grows
    quantized_sketch q;
    for (int i = 0; i < spare; ++i) q.s.constant(fmt::format("spare{}", i), scalar(1));
    q.s.input("x", {1, 4, 5, 5}, dtype::u8).constant("x/scale", scalar(0.02f));
    q.s.node("DequantizeLinear", {"x", "x/scale"}, {"x/real"});
    q.s.constant("w", random_tensor({dtype::i8, {8, 4, 1, 1}}, 1, -127, 128));
    q.s.constant("w/scale", scalar(0.01f)).node("DequantizeLinear", {"w", "w/scale"}, {"w/real"});
    q.s.node("Conv", {"x/real", "w/real"}, {"c"});
    check_fused(q.quantise("c", 0.1f), "QLinearConv");
  }
}
