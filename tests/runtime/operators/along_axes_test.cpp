#include "tests/runtime/operators/known_values.hpp"

#include <cmath>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("MeanVarianceNormalization makes the mean 0 and the deviation 1 over its axes") {
  const auto x = tensor::of<float>({2, 1, 1, 2}, {1, 3, 5, 7});
  const float outer = 3 / std::sqrt(5.0f), inner = 1 / std::sqrt(5.0f);
  CHECK(mismatch(run({.op = "MeanVarianceNormalization", .inputs = {x}}),
                 tensor::of<float>({2, 1, 1, 2}, {-outer, -inner, inner, outer})) <= 1);
  const node_case test{.op = "MeanVarianceNormalization",
                       .inputs = {random_tensor({dtype::f32, {3, 4, 5}}, 1)},
                       .attrs = attrs_of({{"axes", std::vector<std::int64_t>{0, -1}}})};
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2, {.global = true}) == "");
  CHECK(split_is_wrong(test, {1}, 1) == "");
  CHECK(split_is_wrong(test, {0}, std::nullopt) == "");
  CHECK(refusal({.op = "MeanVarianceNormalization", .inputs = {counting({2, 3})}}).find("axis") !=
        std::string::npos);
}

TEST_CASE("LpNormalization divides by the norm, and leaves zeros") {
  const auto x = tensor::of<float>({3, 2}, {3, -4, 0, 0, 1, 0});
  CHECK(mismatch(run({.op = "LpNormalization", .inputs = {x}}),
                 tensor::of<float>({3, 2}, {0.6f, -0.8f, 0, 0, 1, 0})) <= 1);
  CHECK(mismatch(run({.op = "LpNormalization",
                      .inputs = {x},
                      .attrs = attrs_of({{"p", std::int64_t{1}}, {"axis", std::int64_t{0}}})}),
                 tensor::of<float>({3, 2}, {0.75f, -1, 0, 0, 0.25f, 0})) <= 1);
  CHECK(
      refusal({.op = "LpNormalization", .inputs = {x}, .attrs = attrs_of({{"p", std::int64_t{3}}})})
          .find("expected 1 or 2") != std::string::npos);
  const node_case test{.op = "LpNormalization",
                       .inputs = {random_tensor({dtype::f32, {3, 4, 5}}, 1)},
                       .attrs = attrs_of({{"axis", std::int64_t{1}}})};
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(split_is_wrong(test, {2}, 2) == "");
  CHECK(split_is_wrong(test, {1}, std::nullopt) == "");
}

TEST_CASE("GroupNormalization has a coefficient per group, since opset 21 per channel") {
  const auto x = tensor::of<float>({1, 4, 1, 1}, {1, 3, 10, 20});
  node_case test{.op = "GroupNormalization",
                 .inputs = {x, tensor::of<float>({2}, {1, 2}), tensor::of<float>({2}, {0, 5})},
                 .attrs = attrs_of({{"num_groups", std::int64_t{2}}, {"epsilon", 0.0f}}),
                 .opset = 18};
  CHECK(mismatch(run(test), tensor::of<float>({1, 4, 1, 1}, {-1, 1, 3, 7})) <= 1);
  test.opset = 21;
  CHECK(refusal(test).find("scale: expected [4]") != std::string::npos);
  test.inputs[1].value = tensor::of<float>({4}, {1, 2, 3, 4});
  test.inputs[2].value = tensor::of<float>({4}, {0, 0, 0, 1});
  CHECK(mismatch(run(test), tensor::of<float>({1, 4, 1, 1}, {-1, 2, -3, 5})) <= 1);
  test.attrs.set("num_groups", std::int64_t{3});
  CHECK(refusal(test).find("in 3 groups") != std::string::npos);

  const node_case random{.op = "GroupNormalization",
                         .inputs = {random_tensor({dtype::f32, {2, 6, 3, 5}}, 1),
                                    random_tensor({dtype::f32, {6}}, 2),
                                    random_tensor({dtype::f32, {6}}, 3)},
                         .attrs = attrs_of({{"num_groups", std::int64_t{3}}}),
                         .opset = 21};
  CHECK(kernels_disagree(random) == "");
  CHECK(field_is_wrong(random, 0, 0) == "");
  CHECK(field_is_wrong(random, 0, 2, {.global = true}) == "");
  CHECK(split_is_wrong(random, {0, unsplit, unsplit}, 0) == "");
}
