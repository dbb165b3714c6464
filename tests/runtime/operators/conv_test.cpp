#include "kernels/cpu/convolution.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace shoal;
using namespace shoal::test;

namespace {

using ints = std::vector<std::int64_t>;

class drawer {
 public:
  explicit drawer(std::uint64_t seed) : random_(seed) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  std::int64_t among(std::initializer_list<std::int64_t> values) {
    return values.begin()[between(0, static_cast<std::int64_t>(values.size()) - 1)];
  }
  bool coin() { return between(0, 1) == 1; }

 private:
  std::mt19937_64 random_;
};

/// A convolution of odd extents; `axes` spatial ones.
node_case random_convolution(std::uint64_t seed, bool fused) {
  drawer draw(seed);
  const auto axes = draw.between(1, 3);
  const auto groups = draw.among({1, 1, 1, 2, 3, 17, 32});
  const bool depthwise = groups > 3;
  const auto in = depthwise ? 1 : draw.among({1, 3, 5, 16, 17, 32, 48});
  const auto out = depthwise ? draw.between(1, 2) : draw.among({1, 3, 5, 16, 17, 32, 48});
  shape x{draw.between(1, 3), groups * in}, w{groups * out, in};
  ints strides, dilations, pads(static_cast<std::size_t>(2 * axes));
  for (std::int64_t i = 0; i < axes; ++i) {
    w.push_back(draw.between(1, 4));
    strides.push_back(draw.between(1, 3));
    dilations.push_back(draw.among({1, 1, 2, 3}));
    const auto reach = (w[static_cast<int>(i) + 2] - 1) * dilations.back() + 1;
    pads[static_cast<std::size_t>(i)] = draw.between(0, reach / 2);
    pads[static_cast<std::size_t>(i + axes)] = draw.between(0, reach / 2);
    x.push_back(draw.between(std::max<std::int64_t>(1, reach - 1), axes == 3 ? 10 : 14));
    if (x[static_cast<int>(i) + 2] < reach) x[static_cast<int>(i) + 2] = reach;
  }
  node_case test{.op = "Conv", .inputs = {}};
  test.attrs.set("group", groups);
  test.attrs.set("strides", strides);
  test.attrs.set("dilations", dilations);
  test.attrs.set("pads", pads);
  const bool constant = draw.between(0, 3) > 0;
  test.inputs = {random_tensor({dtype::f32, x}, seed),
                 {random_tensor({dtype::f32, w}, seed + 1), constant}};
  const bool biased = draw.coin();
  if (biased) test.inputs.push_back({random_tensor({dtype::f32, {w[0]}}, seed + 2), constant});
  if (!fused) return test;

  test.op = "FusedConv";
  test.domain = "com.microsoft";
  test.opset = 1;
  if (draw.coin()) {
    const auto y = infer_node(test);
    REQUIRE(y);
    if (!biased) test.inputs.push_back({tensor{}});
    test.inputs.push_back({random_tensor((*y)[0], seed + 3)});
  }
  const char* names[] = {"Relu", "LeakyRelu", "Clip", "Sigmoid", "Tanh", "HardSigmoid"};
  test.attrs.set("activation", std::string(names[draw.between(0, 5)]));
  test.attrs.set("activation_params", std::vector<float>{0.2f, 0.7f});
  return test;
}

/// A 3×3 convolution of odd extents that asks for Winograd's algorithm.
node_case random_winograd(std::uint64_t seed) {
  drawer draw(seed);
  const shape x{draw.between(1, 3), draw.among({16, 32, 48}), draw.between(3, 40),
                draw.between(3, 40)};
  const shape w{draw.among({16, 32, 64}), x[1], 3, 3};
  node_case test{.op = "FusedConv", .inputs = {}};
  test.domain = "com.microsoft";
  test.opset = 1;
  test.attrs.set("shoal_algorithm", std::string("winograd"));
  test.attrs.set(
      "pads", ints{draw.between(0, 1), draw.between(0, 1), draw.between(0, 1), draw.between(0, 1)});
  if (draw.coin()) test.attrs.set("activation", std::string("Relu"));
  test.inputs = {random_tensor({dtype::f32, x}, seed),
                 {random_tensor({dtype::f32, w}, seed + 1), true},
                 {random_tensor({dtype::f32, {w[0]}}, seed + 2), true}};
  return test;
}

/// With one thread and two; whatever the producer writes, the same threads give the same bits.
void check_against_oracle(node_case test) {
  const auto expected = run_node(test, "reference");
  REQUIRE(expected);
  const auto& w = test.inputs[1].value.dims();
  const double terms = static_cast<double>(w.element_count(1, w.rank()));
  for (const int threads : {1, 2}) {
    test.threads = threads;
    test.producers = layout::plain;
    const auto actual = run_node(test, "onednn");
    REQUIRE(actual);
    CHECK(mismatch((*actual)[0], (*expected)[0], 1e-4, 1e-6 * std::sqrt(terms)) <= 1);
    for (const auto format : {layout::channels_last, layout::blocked_8, layout::blocked_16}) {
      test.producers = format;
      CHECK(identical((*run_node(test, "onednn"))[0], (*actual)[0]));
    }
  }
}

tensor conv(const tensor& x, const tensor& w, attributes attrs) {
  const auto y = run_node({.op = "Conv", .inputs = {x, w}, .attrs = std::move(attrs)}, "reference");
  REQUIRE(y);
  return (*y)[0];
}

} // namespace

TEST_CASE("Conv by oneDNN agrees with the oracle on random windows, groups and channels") {
  for (std::uint64_t seed = 1000; seed < 1200; ++seed) {
    CAPTURE(seed);
    check_against_oracle(random_convolution(seed, false));
  }
}

TEST_CASE("FusedConv by oneDNN agrees with the oracle with residuals and activations") {
  for (std::uint64_t seed = 2000; seed < 2100; ++seed) {
    CAPTURE(seed);
    check_against_oracle(random_convolution(seed, true));
  }
}

TEST_CASE("Conv by Winograd's algorithm agrees with the oracle, and an image alone has its bits") {
  int computed = 0;
  for (std::uint64_t seed = 4000; seed < 4060; ++seed) {
    CAPTURE(seed);
    auto test = random_winograd(seed);
    const auto expected = run_node(test, "reference");
    REQUIRE(expected);
    for (const int threads : {1, 2}) {
      test.threads = threads;
      const auto actual = run_node(test, "winograd");
      if (!actual) continue; // a processor or extents for which oneDNN has none
      ++computed;
      const double terms = 9 * static_cast<double>(test.inputs[1].value.dims()[1]);
      CHECK(mismatch((*actual)[0], (*expected)[0], 1e-4, 1e-5 * std::sqrt(terms)) <= 1);
      CHECK(split_is_wrong(test, {0, unsplit, unsplit}, 0) == "");
    }
  }
  if (computed == 0) MESSAGE("skipped: oneDNN has no Winograd here");
}

TEST_CASE("An image of more pixels than oneDNN counts is none for it") {
  for (const std::int64_t side : {16, 1 << 17}) {
    kernels::convolution_problem p;
    p.source = {1, 64, side, side};
    p.target = {1, 64, side, side};
    p.weights = {64, 64, 3, 3};
    p.at = {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}};
    CAPTURE(side);
    CHECK((kernels::make_convolution(p, 1) != nullptr) == (side == 16));
  }
}

TEST_CASE("A convolution that does not ask for Winograd's algorithm is computed as ever") {
  auto test = random_winograd(4000);
  test.attrs.set("shoal_algorithm", std::string());
  CHECK_FALSE(run_node(test, "winograd"));
  CHECK(run_node(test, "onednn"));
}

TEST_CASE("The batch of convolutions can be cut without changing a bit") {
  for (std::uint64_t seed = 3000; seed < 3060; ++seed) {
    CAPTURE(seed);
    const auto test = random_convolution(seed, seed % 2 == 0);
    std::vector<int> split(test.inputs.size(), unsplit);
    split[0] = 0;
    if (split.size() == 4) split[3] = 0;
    CHECK(split_is_wrong(test, split, 0) == "");
    split[0] = 2;
    CHECK(split_is_wrong(test, split, std::nullopt) == "");
  }
}

TEST_CASE("The field of a convolution is that of its window") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto s = static_cast<std::int64_t>(seed);
    node_case test{.op = "Conv",
                   .inputs = {random_tensor({dtype::f32, {2, 2, 9, 8}}, seed, 1, 2),
                              random_tensor({dtype::f32, {2, 2, 1 + s % 3, 1 + s % 4}}, 1, 1, 2)}};
    test.attrs.set("strides", ints{1 + s % 2, 1 + s % 3});
    test.attrs.set("dilations", ints{1, 1 + s % 2});
    test.attrs.set("pads", ints{s % 2, 0, 1, s % 3});
    CHECK(field_is_wrong(test, 0, 0) == "");
    CHECK(field_is_wrong(test, 0, 1, {.global = true}) == "");
    // Taps that lie apart leave gaps that the interval covers.
    CHECK(field_is_wrong(test, 0, 2, {.slack = 3}) == "");
    CHECK(field_is_wrong(test, 0, 3, {.slack = 3}) == "");
    CHECK(field_is_wrong(test, 1, 2, {.global = true}) == "");
  }
}

TEST_CASE("Conv computes a small example by hand") {
  const auto x = tensor::of<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const auto w = tensor::of<float>({1, 1, 2, 2}, {1, 0, 0, 2});
  CHECK(identical(conv(x, w, {}), tensor::of<float>({1, 1, 2, 2}, {11, 14, 20, 23})));

  attributes padded;
  padded.set("pads", ints{1, 0, 0, 1}); // a row above, a column to the right
  CHECK(identical(conv(x, w, padded),
                  tensor::of<float>({1, 1, 3, 3}, {4, 6, 0, 11, 14, 3, 20, 23, 6})));

  attributes strided;
  strided.set("strides", ints{2, 2});
  strided.set("auto_pad", std::string("SAME_UPPER")); // one row and column at the end
  CHECK(identical(conv(x, w, strided), tensor::of<float>({1, 1, 2, 2}, {11, 3, 7, 9})));
  strided.set("auto_pad", std::string("SAME_LOWER"));
  CHECK(identical(conv(x, w, strided), tensor::of<float>({1, 1, 2, 2}, {2, 6, 14, 23})));

  attributes dilated;
  dilated.set("dilations", ints{2, 2});
  CHECK(identical(conv(x, w, dilated), tensor::of<float>({1, 1, 1, 1}, {19})));

  attributes grouped;
  grouped.set("group", std::int64_t{2});
  CHECK(identical(conv(tensor::of<float>({1, 2, 2}, {1, 2, 3, 4}),
                       tensor::of<float>({2, 1, 1}, {10, 100}), grouped),
                  tensor::of<float>({1, 2, 2}, {10, 20, 300, 400})));
}

TEST_CASE("FusedConv adds the residual before the activation") {
  node_case test{.op = "FusedConv",
                 .inputs = {tensor::of<float>({1, 1, 3}, {1, 2, 3}),
                            tensor::of<float>({1, 1, 1}, {2}), tensor::of<float>({1}, {-5}),
                            tensor::of<float>({1, 1, 3}, {1, 1, -10})},
                 .domain = "com.microsoft",
                 .opset = 1};
  test.attrs.set("activation", std::string("Relu"));
  for (const auto& name : applicable_kernels(test)) {
    CAPTURE(name);
    CHECK(mismatch((*run_node(test, name))[0], tensor::of<float>({1, 1, 3}, {0, 0, 0})) == 0);
  }
  test.attrs.set("activation", std::string("Clip"));
  test.attrs.set("activation_params", std::vector<float>{-3, -1});
  for (const auto& name : applicable_kernels(test))
    CHECK(identical((*run_node(test, name))[0], tensor::of<float>({1, 1, 3}, {-2, -1, -3})));
}

TEST_CASE("Conv in half precision rounds the exact sum once") {
  const tensor_type x{dtype::f16, {1, 3, 5, 5}}, w{dtype::f16, {2, 3, 3, 3}};
  const node_case test{.op = "Conv", .inputs = {random_tensor(x, 1), random_tensor(w, 2)}};
  CHECK(applicable_kernels(test) == std::vector<std::string>{"reference"});
  CHECK((*run_node(test))[0].type() == tensor_type{dtype::f16, {1, 2, 3, 3}});
}

TEST_CASE("Conv refuses operands that do not fit, and says what it expected") {
  const auto refusal = [](const shape& x, const shape& w, attributes attrs) {
    node_case test{.op = "Conv", .inputs = {}, .attrs = std::move(attrs)};
    test.inputs = {random_tensor({dtype::f32, x}, 1), random_tensor({dtype::f32, w}, 2)};
    const auto types = infer_node(test);
    REQUIRE(!types);
    return types.error().message();
  };
  CHECK(refusal({1, 6, 4, 4}, {8, 16, 3, 3}, {}).find("16 input channels per group") !=
        std::string::npos);
  CHECK(refusal({1, 3, 2, 2}, {8, 3, 3, 3}, {}).find("does not fit") != std::string::npos);
  CHECK(refusal({1, 3}, {8, 3, 3, 3}, {}).find("spatial") != std::string::npos);
  attributes wrong;
  wrong.set("strides", ints{1});
  CHECK(refusal({1, 3, 4, 4}, {8, 3, 3, 3}, wrong).find("expected 2 values") != std::string::npos);
  attributes zero;
  zero.set("dilations", ints{0, 1});
  CHECK(refusal({1, 3, 4, 4}, {8, 3, 3, 3}, zero).find("dilations") != std::string::npos);
  attributes groups;
  groups.set("group", std::int64_t{3});
  CHECK(refusal({1, 3, 4, 4}, {8, 1, 3, 3}, groups).find("groups") != std::string::npos);
}
