#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>

using namespace shoal;
using namespace shoal::test;

namespace {

using ints = std::vector<std::int64_t>;

node_case random_transposed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  const auto axes = draw(1, 3), groups = draw(0, 2) == 0 ? draw(2, 3) : 1;
  const std::int64_t channels[] = {1, 3, 5, 16, 17, 32};
  shape x{draw(1, 2), groups * channels[draw(0, 5)]}, w{x[1], channels[draw(0, 5)]};
  ints strides, dilations, extra, pads(static_cast<std::size_t>(2 * axes));
  for (std::int64_t i = 0; i < axes; ++i) {
    w.push_back(draw(1, 4));
    strides.push_back(draw(1, 3));
    dilations.push_back(draw(0, 3) == 0 ? 2 : 1);
    extra.push_back(draw(0, strides.back() - 1));
    const auto reach = (w[static_cast<int>(i) + 2] - 1) * dilations.back() + 1;
    pads[static_cast<std::size_t>(i)] = draw(0, reach / 2);
    pads[static_cast<std::size_t>(i + axes)] = draw(0, reach / 2);
    x.push_back(draw(3, axes == 3 ? 5 : 9));
  }
  node_case test{.op = "ConvTranspose", .inputs = {random_tensor({dtype::f32, x}, seed)}};
  const bool constant = draw(0, 3) > 0;
  test.inputs.push_back({random_tensor({dtype::f32, w}, seed + 1), constant});
  if (draw(0, 1) == 1)
    test.inputs.push_back({random_tensor({dtype::f32, {w[1] * groups}}, seed + 2), constant});
  test.attrs.set("group", groups);
  test.attrs.set("strides", strides);
  test.attrs.set("dilations", dilations);
  test.attrs.set("output_padding", extra);
  test.attrs.set("pads", pads);
  return test;
}

} // namespace

TEST_CASE("ConvTranspose by oneDNN agrees with the oracle on random windows and groups") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    auto test = random_transposed(seed);
    const auto expected = run_node(test, "reference");
    REQUIRE(expected);
    const auto& w = test.inputs[1].value.dims();
    const double terms = static_cast<double>(w.element_count() / w[1]);
    for (const int threads : {1, 2}) {
      test.threads = threads;
      for (const auto& name : applicable_kernels(test))
        CHECK(mismatch((*run_node(test, name))[0], (*expected)[0], 1e-4, 1e-6 * std::sqrt(terms)) <=
              1);
    }
  }
}

TEST_CASE("ConvTranspose computes small examples by hand") {
  const auto x = tensor::of<float>({1, 1, 2}, {1, 10}), w = tensor::of<float>({1, 1, 3}, {1, 2, 3});
  node_case test{.op = "ConvTranspose", .inputs = {x, w}};
  const auto run = [&] { return (*run_node(test, "reference"))[0]; };
  CHECK(identical(run(), tensor::of<float>({1, 1, 4}, {1, 12, 23, 30})));
  test.attrs.set("strides", ints{2});
  CHECK(identical(run(), tensor::of<float>({1, 1, 5}, {1, 2, 13, 20, 30})));
  test.attrs.set("output_padding", ints{1});
  CHECK(identical(run(), tensor::of<float>({1, 1, 6}, {1, 2, 13, 20, 30, 0})));
  test.attrs.set("output_padding", ints{0});
  test.attrs.set("pads", ints{1, 0});
  CHECK(identical(run(), tensor::of<float>({1, 1, 4}, {2, 13, 20, 30})));
  test.attrs.erase("pads");
  test.attrs.set("output_shape", ints{4}); // one element of padding, at the beginning
  CHECK(identical(run(), tensor::of<float>({1, 1, 4}, {2, 13, 20, 30})));
  test.attrs.set("auto_pad", std::string("SAME_UPPER")); // at the end
  CHECK(identical(run(), tensor::of<float>({1, 1, 4}, {1, 2, 13, 20})));
  test.attrs.erase("output_shape"); // input times stride
  CHECK(identical(run(), tensor::of<float>({1, 1, 4}, {1, 2, 13, 20})));
}

TEST_CASE("What ConvTranspose says of cuts and fields holds") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    const auto s = static_cast<std::int64_t>(seed);
    node_case test{.op = "ConvTranspose",
                   .inputs = {random_tensor({dtype::f32, {2, 2, 5, 6}}, seed, 1, 2),
                              random_tensor({dtype::f32, {2, 2, 1 + s % 3, 1 + s % 4}}, 1, 1, 2)}};
    test.attrs.set("strides", ints{1 + s % 2, 1 + s % 3});
    test.attrs.set("pads", ints{0, 0, s % 2, 0});
    CHECK(split_is_wrong(test, {0, unsplit}, 0) == "");
    CHECK(split_is_wrong(test, {2, unsplit}, std::nullopt) == "");
    CHECK(field_is_wrong(test, 0, 0) == "");
    CHECK(field_is_wrong(test, 0, 1, {.global = true}) == "");
    CHECK(field_is_wrong(test, 0, 2, {.slack = 1}) == ""); // one more for gaps
    CHECK(field_is_wrong(test, 0, 3, {.slack = 1}) == "");
  }
}

TEST_CASE("ConvTranspose refuses operands that do not fit") {
  node_case test{.op = "ConvTranspose",
                 .inputs = {random_tensor({dtype::f32, {1, 3, 4, 4}}, 1),
                            random_tensor({dtype::f32, {4, 2, 3, 3}}, 2)}};
  CHECK(infer_node(test).error().message().find("4 input channels") != std::string::npos);
  test.inputs[1] = random_tensor({dtype::f32, {3, 2, 3, 3}}, 2);
  test.attrs.set("output_padding", ints{1});
  CHECK(infer_node(test).error().code() == errc::malformed);
  test.attrs.set("output_padding", ints{1, -1});
  CHECK(infer_node(test).error().code() == errc::malformed);
}
