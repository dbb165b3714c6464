#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <random>

using namespace shoal;
using namespace shoal::test;

namespace {

using ints = std::vector<std::int64_t>;

/// A pool over an image of odd extents.
node_case random_pool(const std::string& op, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
  };
  const auto axes = draw(1, 3);
  const std::int64_t channels[] = {1, 3, 8, 16, 17, 32, 35};
  shape x{draw(1, 3), channels[draw(0, 6)]};
  ints kernel, strides, dilations, pads(static_cast<std::size_t>(2 * axes));
  for (std::int64_t i = 0; i < axes; ++i) {
    kernel.push_back(draw(1, 4));
    strides.push_back(draw(1, 3));
    dilations.push_back(draw(0, 3) == 0 ? 2 : 1);
    const auto reach = (kernel.back() - 1) * dilations.back() + 1;
    pads[static_cast<std::size_t>(i)] = draw(0, reach / 2);
    pads[static_cast<std::size_t>(i + axes)] = draw(0, reach / 2);
    x.push_back(draw(reach, reach + 9));
  }
  node_case test{.op = op, .inputs = {random_tensor({dtype::f32, x}, seed)}, .opset = 19};
  test.attrs.set("kernel_shape", kernel);
  test.attrs.set("strides", strides);
  test.attrs.set("dilations", dilations);
  test.attrs.set("pads", pads);
  test.attrs.set("ceil_mode", draw(0, 1));
  test.attrs.set("count_include_pad", draw(0, 1));
  return test;
}

tensor run(node_case test) {
  const auto y = run_node(test, "reference");
  REQUIRE(y);
  return (*y)[0];
}

} // namespace

TEST_CASE("Pools by oneDNN agree with the oracle on random windows, threads and layouts") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    for (const char* op : {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}) {
      CAPTURE(seed);
      CAPTURE(op);
      CHECK(kernels_disagree(random_pool(op, seed), 1e-5, 1e-6) == "");
    }
}

TEST_CASE("MaxPool by oneDNN follows the layout of its producer") {
  auto test = random_pool("MaxPool", 3);
  test.inputs = {random_tensor({dtype::f32, {2, 32, 9, 7}}, 3)};
  test.attrs = {};
  test.attrs.set("kernel_shape", ints{3, 3});
  for (const auto format : {layout::plain, layout::channels_last, layout::blocked_16}) {
    test.producers = format;
    CHECK(mismatch((*run_node(test, "onednn"))[0], run(test), 0, 0) == 0);
  }
}

TEST_CASE("MaxPool leaves padding out, and ceil_mode adds a window that starts inside") {
  const auto x = tensor::of<float>({1, 1, 5}, {-1, -2, -3, -4, -5});
  node_case test{.op = "MaxPool", .inputs = {x}};
  test.attrs.set("kernel_shape", ints{2});
  test.attrs.set("strides", ints{2});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 2}, {-1, -3})));
  test.attrs.set("ceil_mode", std::int64_t{1});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 3}, {-1, -3, -5})));
  // One more window would start in the padding at the end: it does not exist.
  test.attrs.set("pads", ints{1, 1});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 3}, {-1, -2, -4})));
  test.attrs.set("dilations", ints{2});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 3}, {-2, -2, -4})));
}

TEST_CASE("MaxPool of integers and of negative infinity is exact") {
  node_case test{.op = "MaxPool", .inputs = {tensor::of<std::int8_t>({1, 1, 3}, {-128, -7, 5})}};
  test.attrs.set("kernel_shape", ints{2});
  CHECK(identical(run(test), tensor::of<std::int8_t>({1, 1, 2}, {-7, 5})));
  const float lowest = -std::numeric_limits<float>::infinity();
  test.inputs = {tensor::of<float>({1, 1, 3}, {lowest, lowest, 5})};
  CHECK(identical(run(test), tensor::of<float>({1, 1, 2}, {lowest, 5})));
}

TEST_CASE("AveragePool counts stated padding when asked to, never what hangs over it") {
  const auto x = tensor::of<float>({1, 1, 4}, {2, 4, 6, 8});
  node_case test{.op = "AveragePool", .inputs = {x}};
  test.attrs.set("kernel_shape", ints{3});
  test.attrs.set("strides", ints{2});
  test.attrs.set("pads", ints{1, 0});
  test.attrs.set("ceil_mode", std::int64_t{1});
  // Windows: (pad, 2, 4), (4, 6, 8), and none from index 3 + 1 on.
  CHECK(identical(run(test), tensor::of<float>({1, 1, 2}, {3, 6})));
  test.attrs.set("count_include_pad", std::int64_t{1});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 2}, {2, 6})));
  // (2, 4, 6), (6, 8, beyond): two taps count in the second.
  test.attrs.set("pads", ints{0, 0});
  CHECK(identical(run(test), tensor::of<float>({1, 1, 2}, {4, 7})));
}

TEST_CASE("Global pools reduce each channel to one element") {
  const auto x = tensor::of<float>({1, 2, 2, 2}, {1, 2, 3, 6, -1, -2, -3, -6});
  CHECK(identical(run({.op = "GlobalAveragePool", .inputs = {x}}),
                  tensor::of<float>({1, 2, 1, 1}, {3, -3})));
  CHECK(identical(run({.op = "GlobalMaxPool", .inputs = {x}}),
                  tensor::of<float>({1, 2, 1, 1}, {6, -1})));
}

TEST_CASE("The fields of pools are those of their windows") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    auto test = random_pool("AveragePool", seed);
    test.inputs = {random_tensor({dtype::f32, {2, 2, 9, 8}}, seed, 1, 2)};
    test.attrs = {};
    const auto s = static_cast<std::int64_t>(seed);
    test.attrs.set("kernel_shape", ints{1 + s % 3, 1 + s % 4});
    test.attrs.set("strides", ints{1 + s % 2, 1 + s % 3});
    test.attrs.set("pads", ints{0, s % 2, 0, 0});
    test.attrs.set("ceil_mode", s % 2);
    for (const int axis : {0, 1, 2, 3}) CHECK(field_is_wrong(test, 0, axis) == "");
    CHECK(split_is_wrong(test, {0}, 0) == "");
    CHECK(split_is_wrong(test, {2}, std::nullopt) == "");
  }
  const node_case global{.op = "GlobalAveragePool",
                         .inputs = {random_tensor({dtype::f32, {2, 3, 4, 5}}, 1, 1, 2)}};
  CHECK(field_is_wrong(global, 0, 0) == "");
  CHECK(field_is_wrong(global, 0, 3, {.global = true}) == "");
  CHECK(split_is_wrong(global, {0}, 0) == "");
}

TEST_CASE("LpPool is the norm of each window") {
  node_case test{.op = "LpPool", .inputs = {tensor::of<float>({1, 1, 4}, {3, -4, 0, 2})}};
  test.attrs.set("kernel_shape", ints{2});
  CHECK(mismatch(run(test), tensor::of<float>({1, 1, 3}, {5, 4, 2})) <= 1);
  test.attrs.set("p", std::int64_t{1});
  CHECK(mismatch(run(test), tensor::of<float>({1, 1, 3}, {7, 4, 2})) <= 1);
  test.op = "GlobalLpPool";
  CHECK(mismatch(run(test), tensor::of<float>({1, 1, 1}, {9})) <= 1);
  test.attrs.set("p", std::int64_t{0});
  CHECK(infer_node(test).error().message().find("expected more than 0") != std::string::npos);
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    for (const char* op : {"LpPool", "GlobalLpPool"})
      CHECK(kernels_disagree(random_pool(op, seed)) == "");
  CHECK(field_is_wrong(random_pool("LpPool", 3), 0, 2) == "");
  CHECK(split_is_wrong(random_pool("LpPool", 3), {0}, 0) == "");
}

TEST_CASE("Pools refuse what they cannot do, and say why") {
  node_case test{.op = "MaxPool", .inputs = {random_tensor({dtype::f32, {1, 1, 4, 4}}, 1)}};
  CHECK(infer_node(test).error().message().find("kernel_shape is missing") != std::string::npos);
  test.attrs.set("kernel_shape", ints{5, 5});
  CHECK(infer_node(test).error().message().find("does not fit") != std::string::npos);
  test.attrs.set("kernel_shape", ints{2, 2});
  test.inputs[0].value = random_tensor({dtype::i32, {1, 1, 4, 4}}, 1);
  CHECK(infer_node(test).error().message().find("expected a floating type") != std::string::npos);
}
