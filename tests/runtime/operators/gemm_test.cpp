#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace shoal;
using namespace shoal::test;

namespace {

/// A Gemm of [rows,length] and [length,columns] before transposition; `c` may be of rank 0 to 2.
node_case gemm(std::int64_t rows, std::int64_t columns, std::int64_t length, int bits,
               std::optional<shape> c, std::uint64_t seed = 1) {
  const bool turn_a = (bits & 1) != 0, turn_b = (bits & 2) != 0, constant = (bits & 4) != 0;
  node_case test{
      .op = "Gemm",
      .inputs = {
          random_tensor({dtype::f32, turn_a ? shape{length, rows} : shape{rows, length}}, seed),
          {random_tensor({dtype::f32, turn_b ? shape{columns, length} : shape{length, columns}},
                         seed + 1),
           constant}}};
  if (c) test.inputs.push_back({random_tensor({dtype::f32, *c}, seed + 2), constant});
  test.attrs.set("transA", std::int64_t{turn_a});
  test.attrs.set("transB", std::int64_t{turn_b});
  return test;
}

} // namespace

TEST_CASE("Gemm by oneDNN agrees with the oracle for all transpositions, factors and addends") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20; ++round)
    for (int bits = 0; bits < 8; ++bits) {
      const auto extent = [&] {
        return std::uniform_int_distribution<std::int64_t>(1, 70)(random);
      };
      const auto m = round == 0 ? 1 : extent(), n = extent(), k = extent();
      const std::optional<shape> addends[] = {std::nullopt, shape{},     shape{n},
                                              shape{1, n},  shape{m, 1}, shape{m, n}};
      auto test = gemm(m, n, k, bits, addends[round % 6], static_cast<std::uint64_t>(round));
      if (round % 3 == 1) test.attrs.set("alpha", 0.25f);
      if (round % 4 == 1) test.attrs.set("beta", -2.0f);
      INFO("round ", round, " bits ", bits, " m ", m, " n ", n, " k ", k);
      CHECK(kernels_disagree(test, 1e-4, 1e-5) == "");
    }
}

TEST_CASE("Gemm computes a small example by hand") {
  node_case test{.op = "Gemm",
                 .inputs = {tensor::of<float>({2, 2}, {1, 2, 3, 4}),
                            tensor::of<float>({2, 2}, {1, 0, 10, 1}),
                            tensor::of<float>({2, 1}, {100, 200})}};
  for (const auto& name : applicable_kernels(test)) {
    CAPTURE(name);
    test.attrs = {};
    CHECK(identical((*run_node(test, name))[0], tensor::of<float>({2, 2}, {121, 102, 243, 204})));
    test.attrs.set("transA", std::int64_t{1});
    test.attrs.set("transB", std::int64_t{1});
    test.attrs.set("alpha", 2.0f);
    test.attrs.set("beta", 0.5f);
    CHECK(identical((*run_node(test, name))[0], tensor::of<float>({2, 2}, {52, 76, 104, 148})));
  }
}

TEST_CASE("What Gemm says of cuts and fields holds") {
  const auto plain = gemm(5, 6, 4, 4, shape{6});
  CHECK(split_is_wrong(plain, {0, unsplit, unsplit}, 0) == "");
  CHECK(split_is_wrong(plain, {unsplit, 1, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(plain, {1, 0, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(plain, 0, 0) == "");
  CHECK(field_is_wrong(plain, 0, 1, {.global = true}) == "");
  const auto turned = gemm(5, 6, 4, 3, shape{5, 6});
  CHECK(split_is_wrong(turned, {1, unsplit, 0}, 0) == "");
  CHECK(split_is_wrong(turned, {1, unsplit, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(turned, 0, 0) == "");
  CHECK(field_is_wrong(turned, 2, 1) == "");
}

TEST_CASE("Gemm says which operand does not fit") {
  CHECK(infer_node({.op = "Gemm",
                    .inputs = {random_tensor({dtype::f32, {2, 3}}, 1),
                               random_tensor({dtype::f32, {4, 5}}, 1)}})
            .error()
            .message()
            .find("inner extents 3 and 4") != std::string::npos);
  CHECK(infer_node(gemm(2, 3, 4, 0, shape{2})).error().message().find("C [2]") !=
        std::string::npos);
}
