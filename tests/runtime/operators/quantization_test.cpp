#include "tests/runtime/operators/byte_tensors.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor positive(const shape& dims, std::uint64_t seed) {
  return random_tensor({dtype::f32, dims}, seed, 0.01, 0.1);
}

/// Largest difference between two tensors of bytes; large when their types differ.
int steps_apart(const tensor& a, const tensor& b) {
  if (a.type() != b.type()) return 1000;
  int worst = 0;
  for (std::int64_t i = 0; i < a.element_count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    worst =
        std::max(worst, a.element_type() == dtype::u8
                            ? std::abs(a.values<std::uint8_t>()[at] - b.values<std::uint8_t>()[at])
                            : std::abs(a.values<std::int8_t>()[at] - b.values<std::int8_t>()[at]));
  }
  return worst;
}

/// QLinearConv with everything but X constant.
node_case convolution(dtype x, dtype y, const shape& image, const shape& weights, int x_zero,
                      int y_zero, std::uint64_t seed, attributes attrs = {}) {
  const auto maps = weights[0];
  const auto single = [](dtype type, int value) {
    return type == dtype::u8 ? zero<std::uint8_t>(value) : zero<std::int8_t>(value);
  };
  return {.op = "QLinearConv",
          .inputs = {random_bytes(x, image, seed), fixed(scalar(0.02f)), single(x, x_zero),
                     fixed(random_bytes(dtype::i8, weights, seed + 1)),
                     fixed(positive({maps}, seed + 2)), zero<std::int8_t>(0), fixed(scalar(0.9f)),
                     single(y, y_zero),
                     fixed(random_tensor({dtype::i32, {maps}}, seed + 3, -2000, 2000))},
          .attrs = std::move(attrs)};
}

} // namespace

TEST_CASE("QuantizeLinear rounds halves to even, saturates and knows no NaN") {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto infinite = std::numeric_limits<float>::infinity();
  const node_case test{
      .op = "QuantizeLinear",
      .inputs = {tensor::of<float>({9}, {1, 3, 5, -1, 1000, -1000, infinite, -infinite, nan}),
                 scalar(2), zero<std::uint8_t>(10)}};
  const auto expected = tensor::of<std::uint8_t>({9}, bytes{10, 12, 12, 10, 255, 0, 255, 0, 0});
  for (const auto& kernel : applicable_kernels(test)) CHECK(identical(run(test, kernel), expected));
  CHECK(identical(
      run({.op = "QuantizeLinear", .inputs = {tensor::of<float>({2}, {300, -9}), scalar(1)}}),
      tensor::of<std::uint8_t>({2}, {255, 0})));
  CHECK(identical(run({.op = "QuantizeLinear",
                       .inputs = {tensor::of<float>({2}, {70000, -9}), scalar(1)},
                       .attrs = attrs_of({{"output_dtype", std::int64_t{4}}}),
                       .opset = 21}),
                  tensor::of<std::uint16_t>({2}, {65535, 0})));
  CHECK(identical(
      run({.op = "QuantizeLinear",
           .inputs = {tensor::of<std::int32_t>({2}, {7, -9}), scalar(2), zero<std::int8_t>(0)}}),
      tensor::of<std::int8_t>({2}, {4, -4})));
}

TEST_CASE("DequantizeLinear scales the distance from the zero point") {
  CHECK(identical(
      run({.op = "DequantizeLinear",
           .inputs = {tensor::of<std::uint8_t>({2, 2}, {0, 10, 20, 255}),
                      tensor::of<float>({2}, {0.5f, 2}), tensor::of<std::uint8_t>({2}, {10, 0})},
           .attrs = attrs_of({{"axis", std::int64_t{-1}}})}),
      tensor::of<float>({2, 2}, {-5, 20, 5, 510})));
  CHECK(identical(run({.op = "DequantizeLinear",
                       .inputs = {tensor::of<std::int32_t>({2}, {1 << 20, -3}), scalar(0.5f)}}),
                  tensor::of<float>({2}, {524288, -1.5f})));
  // Blocks of two along axis 1, the last one cut short.
  CHECK(identical(
      run({.op = "DequantizeLinear",
           .inputs = {tensor::of<std::int8_t>({1, 3}, {1, 2, 3}),
                      tensor::of<float>({1, 2}, {1, 10}), tensor::of<std::int8_t>({1, 2}, {0, 1})},
           .attrs = attrs_of({{"axis", std::int64_t{1}}, {"block_size", std::int64_t{2}}}),
           .opset = 21}),
      tensor::of<float>({1, 3}, {1, 2, 20})));
}

TEST_CASE("quantising by the fast kernel gives the reference's bits") {
  std::uint64_t seed = 10;
  for (const auto type : {dtype::u8, dtype::i8})
    for (const std::int64_t axis : {0, 1, 2}) {
      const shape dims{3, 37, 211};
      const auto scales = positive({dims[static_cast<int>(axis)]}, ++seed);
      const auto zeros = random_bytes(type, scales.dims(), ++seed);
      CHECK(kernels_disagree(
                {.op = "QuantizeLinear",
                 .inputs = {random_tensor({dtype::f32, dims}, ++seed, -9, 9), scales, zeros},
                 .attrs = attrs_of({{"axis", axis}})}) == "");
      CHECK(kernels_disagree({.op = "DequantizeLinear",
                              .inputs = {random_bytes(type, dims, ++seed), scales, zeros},
                              .attrs = attrs_of({{"axis", axis}})},
                             0, 0) == "");
    }
  for (const std::int64_t count : {0, 1, 8192, 100001})
    CHECK(kernels_disagree({.op = "QuantizeLinear",
                            .inputs = {random_tensor({dtype::f32, {count}}, ++seed, -300, 300),
                                       scalar(1)}}) == "");
  CHECK(kernels_disagree({.op = "DynamicQuantizeLinear",
                          .inputs = {random_tensor({dtype::f32, {3, 1001}}, ++seed, -3, 7)},
                          .outputs = 3}) == "");
}

TEST_CASE("what quantisation says of cuts and fields holds") {
  const node_case whole{.op = "QuantizeLinear",
                        .inputs = {random_tensor({dtype::f32, {3, 5}}, 1, -50, 50), scalar(1)}};
  CHECK(field_is_wrong(whole, 0, 1) == "");
  CHECK(split_is_wrong(whole, {1, unsplit}, 1) == "");
  const node_case rows{.op = "DequantizeLinear",
                       .inputs = {random_bytes(dtype::u8, {3, 5}, 1), positive({3}, 2)},
                       .attrs = attrs_of({{"axis", std::int64_t{0}}})};
  CHECK(split_is_wrong(rows, {1, unsplit}, 1) == "");
  CHECK(split_is_wrong(rows, {0, unsplit}, std::nullopt) == "");
}

TEST_CASE("scales that do not fit are refused by name") {
  const auto refusal = infer_node({.op = "DequantizeLinear",
                                   .inputs = {random_bytes(dtype::u8, {3, 5}, 1), positive({4}, 2)},
                                   .attrs = attrs_of({{"axis", std::int64_t{0}}})});
  REQUIRE(!refusal);
  CHECK(refusal.error().message().find("expected one value or 3") != std::string::npos);
  CHECK(!infer_node({.op = "QuantizeLinear",
                     .inputs = {scalar(1), scalar(1)},
                     .attrs = attrs_of({{"output_dtype", std::int64_t{18}}}),
                     .opset = 21}));
}

TEST_CASE("DynamicQuantizeLinear covers zero, and a tensor of zeros") {
  const auto outputs = *run_node(
      {.op = "DynamicQuantizeLinear", .inputs = {tensor::of<float>({3}, {0, 0, 0})}, .outputs = 3});
  CHECK(outputs[1].values<float>()[0] == 1);
  CHECK(outputs[0].values<std::uint8_t>()[2] == 0);
}

TEST_CASE("integer products are exact whichever kernel computes them") {
  std::uint64_t seed = 100;
  const std::pair<shape, shape> cases[] = {{{5, 7}, {7, 3}},          {{1, 300}, {300, 70}},
                                           {{33, 64}, {64, 65}},      {{2, 3, 5, 7}, {7, 4}},
                                           {{2, 3, 5, 7}, {3, 7, 4}}, {{0, 7}, {7, 3}}};
  for (const auto& [a, b] : cases)
    for (const auto a_type : {dtype::u8, dtype::i8})
      for (const auto b_type : {dtype::u8, dtype::i8})
        for (const bool constant : {false, true}) {
          INFO(to_string(a), " x ", to_string(b), " ", to_string(a_type), " ", to_string(b_type));
          const auto columns = b[b.rank() - 1];
          const auto middle = b_type == dtype::u8 ? 128 : 0;
          const auto b_zero = tensor::of<std::uint8_t>({}, {static_cast<std::uint8_t>(middle)});
          const node_input b_input{random_bytes(b_type, b, ++seed), constant};
          CHECK(kernels_disagree({.op = "MatMulInteger",
                                  .inputs = {random_bytes(a_type, a, ++seed), b_input,
                                             random_bytes(a_type, {}, ++seed),
                                             random_bytes(b_type, {columns}, ++seed)}}) == "");
          CHECK(kernels_disagree(
                    {.op = "MatMulIntegerToFloat",
                     .inputs = {random_bytes(a_type, a, ++seed), b_input, scalar(0.5f),
                                positive({columns}, ++seed), random_bytes(a_type, {}, ++seed),
                                b_type == dtype::u8 ? zero<std::uint8_t>(middle)
                                                    : zero<std::int8_t>(middle),
                                random_tensor({dtype::f32, {columns}}, ++seed)},
                     .domain = "com.microsoft",
                     .opset = 1},
                    0, 0) == "");
        }
}

TEST_CASE("oneDNN takes integer products of constant weights") {
  const node_case test{.op = "MatMulInteger",
                       .inputs = {random_bytes(dtype::u8, {8, 64}, 1),
                                  fixed(random_bytes(dtype::i8, {64, 32}, 2)),
                                  tensor::of<std::uint8_t>({}, {7})}};
  const auto kernels = applicable_kernels(test);
  CHECK(kernels.back() == "reference");
  // Processors without exact products of bytes have Shoal's own kernel.
  CHECK((kernels.front() == "onednn" || kernels.front() == "cpu"));
}

TEST_CASE("MatMulInteger and its kin compute small examples by hand") {
  const auto a = tensor::of<std::uint8_t>({1, 2}, bytes{3, 5});
  const auto b = tensor::of<std::int8_t>({2, 2}, signed_bytes{1, -2, 4, 10});
  CHECK(identical(run({.op = "MatMulInteger", .inputs = {a, b, zero<std::uint8_t>(1)}}),
                  tensor::of<std::int32_t>({1, 2}, {18, 36})));
  CHECK(identical(run({.op = "QLinearMatMul",
                       .inputs = {a, scalar(0.5f), zero<std::uint8_t>(1), b, scalar(1),
                                  zero<std::int8_t>(0), scalar(2), zero<std::int8_t>(-3)}}),
                  tensor::of<std::int8_t>({1, 2}, signed_bytes{1, 6}))); // 4.5 to even, and 9
  CHECK(identical(run({.op = "QGemm",
                       .inputs = {a, scalar(0.5f), zero<std::uint8_t>(1), b, scalar(1),
                                  zero<std::int8_t>(0), tensor::of<std::int32_t>({2}, {2, 0})},
                       .attrs = attrs_of({{"transB", std::int64_t{1}}}),
                       .domain = "com.microsoft",
                       .opset = 1}),
                  tensor::of<float>({1, 2}, {-2, 24})));
  CHECK(identical(run({.op = "DynamicQuantizeMatMul",
                       .inputs = {tensor::of<float>({1, 2}, {255, 0}), b, scalar(2)},
                       .domain = "com.microsoft",
                       .opset = 1}),
                  tensor::of<float>({1, 2}, {510, -1020})));
}

TEST_CASE("QGemm transposes either side") {
  for (int bits = 0; bits < 4; ++bits) {
    const bool turn_a = (bits & 1) != 0, turn_b = (bits & 2) != 0;
    for (const bool constant : {true, false})
      CHECK(kernels_disagree(
                {.op = "QGemm",
                 .inputs = {random_bytes(dtype::u8, turn_a ? shape{6, 5} : shape{5, 6}, 3),
                            scalar(0.1f),
                            zero<std::uint8_t>(9),
                            {random_bytes(dtype::i8, turn_b ? shape{7, 6} : shape{6, 7}, 4),
                             constant},
                            positive({7}, 5),
                            tensor::of<std::int8_t>({7}, signed_bytes(7, 0)),
                            random_tensor({dtype::i32, {7}}, 6, -99, 99),
                            scalar(0.5f),
                            zero<std::uint8_t>(100)},
                 .attrs =
                     attrs_of({{"transA", std::int64_t{turn_a}}, {"transB", std::int64_t{turn_b}}}),
                 .domain = "com.microsoft",
                 .opset = 1}) == "");
  }
}

TEST_CASE("DynamicQuantizeMatMul is the product of what DynamicQuantizeLinear gives") {
  for (const bool constant : {true, false})
    CHECK(kernels_disagree({.op = "DynamicQuantizeMatMul",
                            .inputs = {random_tensor({dtype::f32, {2, 9, 33}}, 1, -2, 5),
                                       {random_bytes(dtype::i8, {33, 20}, 2), constant},
                                       positive({20}, 3),
                                       zero<std::int8_t>(0),
                                       random_tensor({dtype::f32, {20}}, 4)},
                            .domain = "com.microsoft",
                            .opset = 1},
                           0, 0) == "");
}

TEST_CASE("ConvInteger pads with the zero point") {
  CHECK(identical(
      run({.op = "ConvInteger",
           .inputs = {tensor::of<std::uint8_t>({1, 1, 3}, bytes{2, 3, 4}),
                      tensor::of<std::uint8_t>({1, 1, 2}, bytes{1, 1}), zero<std::uint8_t>(1)},
           .attrs = attrs_of({{"pads", std::vector<std::int64_t>{1, 1}}})}),
      tensor::of<std::int32_t>({1, 1, 4}, {1, 3, 5, 3})));
  std::uint64_t seed = 300;
  for (const auto w_type : {dtype::u8, dtype::i8})
    for (const std::int64_t group : {1, 3})
      CHECK(kernels_disagree(
                {.op = "ConvInteger",
                 .inputs = {random_bytes(dtype::u8, {2, 6, 9, 7}, ++seed),
                            random_bytes(w_type, {9, 6 / group, 3, 2}, ++seed),
                            zero<std::uint8_t>(77), random_bytes(w_type, {9}, ++seed)},
                 .attrs = attrs_of({{"group", group},
                                    {"strides", std::vector<std::int64_t>{2, 1}},
                                    {"dilations", std::vector<std::int64_t>{1, 2}},
                                    {"pads", std::vector<std::int64_t>{1, 0, 2, 1}}})}) == "");
}

TEST_CASE("QLinearConv by oneDNN is within one step of the reference, its own kernel equal") {
  std::uint64_t seed = 400;
  for (const auto x : {dtype::u8, dtype::i8})
    for (const auto y : {dtype::u8, dtype::i8})
      for (const std::int64_t group : {1, 4, 8})
        for (const std::int64_t stride : {1, 2}) {
          const auto test =
              convolution(x, y, {2, 8, 11, 9}, {16, 8 / group, 3, 3}, x == dtype::u8 ? 120 : -7,
                          y == dtype::u8 ? 99 : 5, seed += 10,
                          attrs_of({{"group", group},
                                    {"strides", std::vector<std::int64_t>{stride, stride}},
                                    {"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}));
          const auto expected = run(test, "reference");
          for (const auto& kernel : applicable_kernels(test)) {
            CAPTURE(kernel);
            CHECK(steps_apart(run(test, kernel), expected) <= (kernel == "onednn" ? 1 : 0));
          }
        }
}

TEST_CASE("what quantised convolutions say of cuts and fields holds") {
  auto test = convolution(dtype::u8, dtype::u8, {3, 2, 7, 5}, {4, 2, 3, 3}, 3, 100, 7,
                          attrs_of({{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}}));
  test.inputs[6] = fixed(scalar(0.01f));
  test.inputs[8] = fixed(tensor::of<std::int32_t>({4}, {0, 0, 0, 0}));
  std::vector<int> cut(9, unsplit);
  cut[0] = 0;
  CHECK(split_is_wrong(test, cut, 0) == "");
  cut[0] = 2;
  CHECK(split_is_wrong(test, cut, std::nullopt) == "");
  const node_case sums{.op = "ConvInteger",
                       .inputs = {random_bytes(dtype::u8, {2, 2, 7, 6}, 1),
                                  random_tensor({dtype::i8, {3, 2, 3, 3}}, 2, 1, 100)},
                       .attrs = attrs_of({{"strides", std::vector<std::int64_t>{2, 1}}})};
  CHECK(field_is_wrong(sums, 0, 0) == "");
  CHECK(field_is_wrong(sums, 0, 2) == "");
  CHECK(field_is_wrong(sums, 0, 3) == "");
  const node_case product{.op = "MatMulInteger",
                          .inputs = {random_tensor({dtype::u8, {2, 5, 4}}, 1, 1, 100),
                                     random_tensor({dtype::i8, {4, 3}}, 2, 1, 100)}};
  CHECK(field_is_wrong(product, 0, 1) == "");
  CHECK(split_is_wrong(product, {1, unsplit}, 1) == "");
  CHECK(split_is_wrong(product, {2, 0}, std::nullopt) == "");
}
