#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor run(const node_case& test) {
  const auto y = run_node(test, "reference");
  REQUIRE(y);
  return (*y)[0];
}

node_case product(const shape& a, const shape& b, bool constant, std::uint64_t seed = 1) {
  return {.op = "MatMul",
          .inputs = {random_tensor({dtype::f32, a}, seed),
                     {random_tensor({dtype::f32, b}, seed + 1), constant}}};
}

} // namespace

TEST_CASE("MatMul by oneDNN agrees with the oracle on every way to broadcast") {
  const std::pair<shape, shape> cases[] = {{{5, 7}, {7, 3}},
                                           {{1, 33}, {33, 17}},
                                           {{64, 48}, {48, 80}},
                                           {{7}, {7}},
                                           {{7}, {7, 3}},
                                           {{5, 7}, {7}},
                                           {{4, 5, 7}, {7, 3}},
                                           {{2, 4, 5, 7}, {7}},
                                           {{7}, {4, 7, 3}},
                                           {{4, 5, 7}, {4, 7, 3}},
                                           {{4, 5, 7}, {1, 7, 3}},
                                           {{1, 5, 7}, {4, 7, 3}},
                                           {{5, 7}, {4, 7, 3}},
                                           {{2, 4, 5, 7}, {2, 4, 7, 3}},
                                           {{2, 4, 5, 7}, {2, 1, 7, 3}},
                                           {{2, 1, 5, 7}, {4, 7, 3}},
                                           {{2, 4, 5, 7}, {1, 4, 7, 3}},
                                           {{3, 1, 2, 5, 7}, {2, 2, 7, 3}},
                                           {{0, 7}, {7, 3}},
                                           {{5, 0}, {0, 3}},
                                           {{2, 0, 5, 7}, {2, 1, 7, 3}}};
  for (const auto& [a, b] : cases)
    for (const bool constant : {true, false}) {
      INFO(to_string(a), " x ", to_string(b), " constant ", constant);
      CHECK(kernels_disagree(product(a, b, constant), 1e-4, 1e-5) == "");
    }
}

TEST_CASE("FusedMatMul transposes and scales") {
  for (int bits = 0; bits < 8; ++bits)
    for (const bool batched : {true, false}) {
      const bool turn_a = (bits & 1) != 0, turn_b = (bits & 2) != 0, constant = (bits & 4) != 0;
      CAPTURE(bits);
      const shape a = turn_a ? shape{3, 6, 5} : shape{3, 5, 6};
      const shape b = turn_b ? shape{7, 6} : shape{6, 7};
      auto test = product(a, batched ? shape{3, b[0], b[1]} : b, constant);
      test.op = "FusedMatMul";
      test.domain = "com.microsoft";
      test.attrs.set("transA", std::int64_t{turn_a});
      test.attrs.set("transB", std::int64_t{turn_b});
      test.attrs.set("alpha", 0.5f);
      CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
    }
}

TEST_CASE("MatMul computes small examples by hand, in integers too") {
  const auto a = tensor::of<float>({2, 2}, {1, 2, 3, 4}), b = tensor::of<float>({2}, {10, 1});
  CHECK(identical(run({.op = "MatMul", .inputs = {a, b}}), tensor::of<float>({2}, {12, 34})));
  CHECK(identical(run({.op = "MatMul", .inputs = {b, a}}), tensor::of<float>({2}, {13, 24})));
  CHECK(identical(run({.op = "MatMul", .inputs = {b, b}}), tensor::of<float>({}, {101})));
  const auto i = tensor::of<std::int32_t>({1, 2}, {-3, 1 << 30});
  CHECK(identical(run({.op = "MatMul", .inputs = {i, tensor::of<std::int32_t>({2, 1}, {5, 4})}}),
                  tensor::of<std::int32_t>({1, 1}, {-15})));
}

TEST_CASE("What MatMul says of cuts and fields holds") {
  const auto test = product({2, 3, 5, 4}, {3, 4, 6}, false);
  CHECK(split_is_wrong(test, {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {1, 0}, 1) == "");
  CHECK(split_is_wrong(test, {1, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {2, unsplit}, 2) == "");
  CHECK(split_is_wrong(test, {unsplit, 2}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {3, 1}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2) == "");
  CHECK(field_is_wrong(test, 0, 3, {.global = true}) == "");
  const auto vector = product({5, 4}, {4}, true);
  CHECK(split_is_wrong(vector, {0, unsplit}, 0) == "");
  CHECK(field_is_wrong(vector, 0, 0) == "");
  CHECK(split_is_wrong(product({16, 64}, {64, 32}, true), {0, unsplit}, 0) == "");
}

TEST_CASE("MatMul says which extents do not fit") {
  const auto refusal = [](const shape& a, const shape& b) {
    return infer_node(product(a, b, false)).error().message();
  };
  CHECK(refusal({2, 3}, {4, 5}).find("inner extents 3 and 4") != std::string::npos);
  CHECK(refusal({2, 2, 3}, {3, 3, 5}).find("batches") != std::string::npos);
  CHECK(refusal({}, {3, 5}).find("scalar") != std::string::npos);
}

namespace {

node_case biased(const shape& a, std::int64_t columns, bool constant) {
  auto test = product(a, {a[a.rank() - 1], columns}, constant);
  test.op = "BiasedMatMul";
  test.domain = "shoal";
  test.opset = 1;
  test.inputs.emplace_back(random_tensor({dtype::f32, {columns}}, 9), constant);
  return test;
}

} // namespace

TEST_CASE("BiasedMatMul by oneDNN agrees with the oracle") {
  for (const auto& a : {shape{5, 7}, shape{1, 33}, shape{64, 48}, shape{7}, shape{2, 3, 5, 7}})
    for (const std::int64_t columns : {1, 3, 17, 80})
      for (const bool constant : {true, false}) {
        CAPTURE(to_string(a));
        CAPTURE(columns);
        CAPTURE(constant);
        CHECK(kernels_disagree(biased(a, columns, constant), 1e-4, 1e-5) == "");
      }
}

TEST_CASE("What BiasedMatMul says of cuts and fields holds") {
  const auto test = biased({2, 5, 4}, 6, true);
  CHECK(split_is_wrong(test, {0, unsplit, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {1, unsplit, unsplit}, 1) == "");
  CHECK(split_is_wrong(test, {2, unsplit, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {0, unsplit, 0}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2, {.global = true}) == "");
  CHECK(field_is_wrong(test, 2, 0, {.global = true}) == "");
  CHECK(field_is_wrong(biased({4}, 6, true), 2, 0) == "");
}

TEST_CASE("BiasedMatMul computes a small example and refuses a row of another length") {
  const auto a = tensor::of<float>({1, 2}, {1, 2}), b = tensor::of<float>({2, 2}, {1, 2, 3, 4});
  node_case test{.op = "BiasedMatMul",
                 .inputs = {a, b, tensor::of<float>({2}, {10, 20})},
                 .domain = "shoal",
                 .opset = 1};
  CHECK(identical(run(test), tensor::of<float>({1, 2}, {17, 30})));
  test.inputs[2] = tensor::of<float>({1}, {10});
  CHECK(infer_node(test).error().message().find("expected [2]") != std::string::npos);
}
