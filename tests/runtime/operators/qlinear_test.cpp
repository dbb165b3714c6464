#include "tests/runtime/operators/byte_tensors.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("QLinearAdd and QLinearMul broadcast, in every layout") {
  const auto test = [](const char* op, const shape& a, const shape& b, dtype type) {
    const auto single = [&](int value) {
      return type == dtype::u8 ? zero<std::uint8_t>(value) : zero<std::int8_t>(value);
    };
    return node_case{.op = op,
                     .inputs = {random_bytes(type, a, 1), scalar(0.1f), single(100),
                                random_bytes(type, b, 2), scalar(0.03f), single(3), scalar(0.07f),
                                single(50)},
                     .domain = "com.microsoft",
                     .opset = 1};
  };
  for (const auto* op : {"QLinearAdd", "QLinearMul"})
    for (const auto type : {dtype::u8, dtype::i8}) {
      CHECK(kernels_disagree(test(op, {2, 16, 5, 7}, {2, 16, 5, 7}, type)) == "");
      CHECK(kernels_disagree(test(op, {2, 16, 5, 7}, {1, 16, 1, 1}, type)) == "");
      CHECK(kernels_disagree(test(op, {8192 * 4}, {8192 * 4}, type)) == "");
      CHECK(kernels_disagree(test(op, {3, 1, 5}, {4, 1}, type)) == "");
      CHECK(kernels_disagree(test(op, {}, {6, 2}, type)) == "");
    }
  CHECK(identical(
      run({.op = "QLinearAdd",
           .inputs = {tensor::of<std::uint8_t>({2}, bytes{5, 200}), scalar(1),
                      zero<std::uint8_t>(0), tensor::of<std::uint8_t>({1}, bytes{100}), scalar(2),
                      zero<std::uint8_t>(90), scalar(2), zero<std::uint8_t>(1)},
           .domain = "com.microsoft",
           .opset = 1}),
      tensor::of<std::uint8_t>({2}, bytes{13, 111}))); // 12.5 to even, then 1 more
  const auto cut = test("QLinearAdd", {3, 4}, {1, 4}, dtype::u8);
  CHECK(split_is_wrong(cut, {0, -1, -1, unsplit, -1, -1, -1, -1}, 0) == "");
}

TEST_CASE("QLinearSigmoid and QLinearLeakyRelu look results up") {
  const auto test = [](const char* op, dtype type) {
    return node_case{
        .op = op,
        .inputs = {random_bytes(type, {2, 3, 4, 5}, 1), scalar(0.05f),
                   type == dtype::u8 ? zero<std::uint8_t>(128) : zero<std::int8_t>(0),
                   scalar(1.0f / 256),
                   type == dtype::u8 ? zero<std::uint8_t>(0) : zero<std::int8_t>(-128)},
        .domain = "com.microsoft",
        .opset = 1};
  };
  for (const auto* op : {"QLinearSigmoid", "QLinearLeakyRelu"})
    for (const auto type : {dtype::u8, dtype::i8}) CHECK(kernels_disagree(test(op, type)) == "");
  CHECK(identical(run({.op = "QLinearSigmoid",
                       .inputs = {tensor::of<std::uint8_t>({2}, bytes{0, 255}), scalar(1),
                                  zero<std::uint8_t>(0), scalar(1.0f / 256)},
                       .domain = "com.microsoft",
                       .opset = 1}),
                  tensor::of<std::uint8_t>({2}, bytes{128, 255})));
  CHECK(split_is_wrong(test("QLinearLeakyRelu", dtype::u8), {2, -1, -1, -1, -1}, 2) == "");
}

TEST_CASE("QLinearConcat gives every part the scale of the whole") {
  const node_case test{.op = "QLinearConcat",
                       .inputs = {scalar(2), zero<std::uint8_t>(10),
                                  tensor::of<std::uint8_t>({2, 1}, bytes{0, 8}), scalar(1),
                                  zero<std::uint8_t>(0),
                                  tensor::of<std::uint8_t>({2, 2}, bytes{1, 2, 3, 4}), scalar(4),
                                  zero<std::uint8_t>(2)},
                       .attrs = attrs_of({{"axis", std::int64_t{1}}}),
                       .domain = "com.microsoft",
                       .opset = 1};
  CHECK(identical(run(test), tensor::of<std::uint8_t>({2, 3}, bytes{10, 8, 10, 14, 12, 14})));
  CHECK(split_is_wrong(test, {-1, -1, 0, -1, -1, 0, -1, -1}, 0) == "");
  CHECK(field_is_wrong(test, 5, 1) == "");
}

TEST_CASE("quantised average pools give the nearest byte to the mean") {
  const auto image = tensor::of<std::uint8_t>({1, 1, 1, 4}, bytes{1, 2, 4, 100});
  const std::vector<node_input> inputs{image, scalar(2), zero<std::uint8_t>(0), scalar(1),
                                       zero<std::uint8_t>(1)};
  CHECK(identical(run({.op = "QLinearGlobalAveragePool",
                       .inputs = inputs,
                       .domain = "com.microsoft",
                       .opset = 1}),
                  tensor::of<std::uint8_t>({1, 1, 1, 1}, bytes{55}))); // 53.5 to even, 1 more
  const node_case sliding{.op = "QLinearAveragePool",
                          .inputs = inputs,
                          .attrs = attrs_of({{"kernel_shape", std::vector<std::int64_t>{1, 2}}}),
                          .domain = "com.microsoft",
                          .opset = 1};
  CHECK(identical(run(sliding), tensor::of<std::uint8_t>({1, 1, 1, 3}, bytes{4, 7, 105})));
  CHECK(field_is_wrong(sliding, 0, 3) == "");
  CHECK(kernels_disagree(sliding) == "");
  for (const auto type : {dtype::u8, dtype::i8})
    CHECK(kernels_disagree(
              {.op = "QLinearGlobalAveragePool",
               .inputs = {random_bytes(type, {3, 21, 5, 7}, 1), scalar(0.02f),
                          random_bytes(type, {}, 2), scalar(0.003f), random_bytes(type, {}, 3)},
               .domain = "com.microsoft",
               .opset = 1}) == "");
}

TEST_CASE("MaxPool of bytes by oneDNN gives the reference's bytes, in every layout") {
  for (const auto type : {dtype::u8, dtype::i8})
    for (const std::int64_t channels : {3, 16, 40})
      CHECK(kernels_disagree(
                {.op = "MaxPool",
                 .inputs = {random_bytes(type, {2, channels, 9, 7}, 1)},
                 .attrs = attrs_of({{"kernel_shape", std::vector<std::int64_t>{3, 2}},
                                    {"strides", std::vector<std::int64_t>{2, 1}},
                                    {"pads", std::vector<std::int64_t>{1, 1, 1, 0}}})}) == "");
}
