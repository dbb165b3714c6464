#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

TEST_CASE("Hardmax marks the first largest element of each row, before 13 of each matrix row") {
  const auto x = tensor::of<float>({2, 2, 2}, {1, 3, 3, 0, 5, 5, 4, 6});
  CHECK(identical(run({.op = "Hardmax", .inputs = {x}}),
                  tensor::of<float>({2, 2, 2}, {0, 1, 1, 0, 1, 0, 0, 1})));
  CHECK(identical(
      run({.op = "Hardmax", .inputs = {x}, .attrs = attrs_of({{"axis", std::int64_t{1}}})}),
      tensor::of<float>({2, 2, 2}, {0, 1, 1, 0, 1, 0, 0, 1})));
  CHECK(identical(run({.op = "Hardmax", .inputs = {x}, .opset = 11}),
                  tensor::of<float>({2, 2, 2}, {0, 1, 0, 0, 0, 0, 0, 1})));
  const node_case test{.op = "Hardmax", .inputs = {random_tensor({dtype::f32, {3, 4, 5}}, 1)}};
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(split_is_wrong(test, {1}, 1) == "");
  CHECK(split_is_wrong(test, {2}, std::nullopt) == "");
}

TEST_CASE("Shrink moves what is far from 0 towards it and clears the rest") {
  const auto x = tensor::of<float>({5}, {-2, -1, 0, 1, 2});
  const auto attrs = attrs_of({{"lambd", 1.5f}, {"bias", 0.5f}});
  for (const char* kernel : {"cpu", "reference"})
    CHECK(identical((*run_node({.op = "Shrink", .inputs = {x}, .attrs = attrs}, kernel))[0],
                    tensor::of<float>({5}, {-1.5f, 0, 0, 0, 1.5f})));
  CHECK(identical(run({.op = "Shrink", .inputs = {x}}), tensor::of<float>({5}, {-2, -1, 0, 1, 2})));
  CHECK(kernels_disagree(
            {.op = "Shrink", .inputs = {random_tensor({dtype::f32, {3, 17, 5}}, 1)}}) == "");
}

TEST_CASE("Bitwise operators work on all bits of all integers") {
  const auto a = tensor::of<std::int8_t>({3}, {12, -1, 0}), b = tensor::of<std::int8_t>({1}, {10});
  const auto of = [&](const char* op) { return run({.op = op, .inputs = {a, b}, .opset = 18}); };
  CHECK(identical(of("BitwiseAnd"), tensor::of<std::int8_t>({3}, {8, 10, 0})));
  CHECK(identical(of("BitwiseOr"), tensor::of<std::int8_t>({3}, {14, -1, 10})));
  CHECK(identical(of("BitwiseXor"), tensor::of<std::int8_t>({3}, {6, -11, 10})));
  CHECK(identical(
      run({.op = "BitwiseNot", .inputs = {tensor::of<std::uint16_t>({2}, {0, 0xff})}, .opset = 18}),
      tensor::of<std::uint16_t>({2}, {0xffff, 0xff00})));
  CHECK(
      refusal({.op = "BitwiseNot", .inputs = {counting({2})}, .opset = 18}).find("expected int8") !=
      std::string::npos);
  const node_case test{
      .op = "BitwiseNot", .inputs = {random_tensor({dtype::i32, {3, 4}}, 1, -99, 99)}, .opset = 18};
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(split_is_wrong(test, {1}, 1) == "");
}

TEST_CASE("Scatter is the first name of ScatterElements") {
  CHECK(identical(run({.op = "Scatter",
                       .inputs = {counting({3}), tensor::of<std::int64_t>({1}, {1}),
                                  tensor::of<float>({1}, {9})},
                       .opset = 10}),
                  tensor::of<float>({3}, {0, 9, 2})));
  CHECK(!infer_node(
      {.op = "Scatter",
       .inputs = {counting({3}), tensor::of<std::int64_t>({1}, {1}), tensor::of<float>({1}, {9})},
       .opset = 11}));
}
