#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case loss(const char* op, const tensor& scores, const tensor& targets, const char* reduction) {
  node_case test{.op = op, .inputs = {scores, targets}};
  test.attrs.set("reduction", std::string(reduction));
  return test;
}

tensor targets(const shape& dims, std::vector<std::int64_t> values) {
  return tensor::of<std::int64_t>(dims, values);
}

tensor floats(const shape& dims, std::vector<float> values) {
  return tensor::of<float>(dims, values);
}

std::vector<tensor> run(const node_case& test) {
  const auto outputs = run_node(test);
  REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message()));
  return *outputs;
}

} // namespace

TEST_CASE("the loss of a target is its score, weighted, reduced") {
  const auto scores = floats({2, 3}, {-1, -2, -3, -4, -5, -6});
  auto test = loss("NegativeLogLikelihoodLoss", scores, targets({2}, {0, 2}), "none");
  CHECK(identical(run(test)[0], floats({2}, {1, 6})));
  test.attrs.set("reduction", std::string("sum"));
  CHECK(identical(run(test)[0], floats({}, {7})));
  test.attrs.set("reduction", std::string("mean"));
  CHECK(identical(run(test)[0], floats({}, {3.5f})));
  test.inputs.emplace_back(floats({3}, {3, 9, 1}));
  CHECK(identical(run(test)[0], floats({}, {2.25f}))); // (3 + 6) / (3 + 1)
  test.attrs.set("ignore_index", std::int64_t{2});
  CHECK(identical(run(test)[0], floats({}, {1})));
}

TEST_CASE("ignored targets need not be classes, others have to") {
  const auto scores = floats({2, 2}, {-1, -2, -3, -4});
  auto test = loss("NegativeLogLikelihoodLoss", scores, targets({2}, {-100, 1}), "sum");
  const auto refused = run_node(test);
  REQUIRE(!refused);
  CHECK(refused.error().message().find("target -100 is none of 2 classes") != std::string::npos);
  test.attrs.set("ignore_index", std::int64_t{-100});
  CHECK(identical(run(test)[0], floats({}, {4})));
}

TEST_CASE("cross entropy takes scores of any size, and gives their softmax on request") {
  auto test =
      loss("SoftmaxCrossEntropyLoss", floats({1, 2}, {1000, 1000}), targets({1}, {1}), "mean");
  test.outputs = 2;
  const auto out = run(test);
  const float half = std::log(2.0f);
  CHECK(mismatch(out[0], floats({}, {half})) <= 1);
  CHECK(mismatch(out[1], floats({1, 2}, {-half, -half})) <= 1);
}

TEST_CASE("a cross entropy is the likelihood of a softmax") {
  const auto scores = random_tensor({dtype::f32, {3, 5, 2, 4}}, 1, -3, 3);
  const auto wanted = random_tensor({dtype::i64, {3, 2, 4}}, 2, 0, 4);
  for (const auto* reduction : {"none", "sum", "mean"}) {
    auto entropy = loss("SoftmaxCrossEntropyLoss", scores, wanted, reduction);
    entropy.outputs = 2;
    const auto out = run(entropy);
    const auto direct = run(loss("NegativeLogLikelihoodLoss", out[1], wanted, reduction));
    CHECK(mismatch(out[0], direct[0]) <= 1);
  }
}

TEST_CASE("losses that are not reduced split along the batch") {
  const auto scores = random_tensor({dtype::f32, {3, 5, 4}}, 1);
  const auto wanted = random_tensor({dtype::i64, {3, 4}}, 2, 0, 4);
  for (const auto* op : {"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}) {
    CHECK(split_is_wrong(loss(op, scores, wanted, "none"), {0, 0}, 0) == "");
    CHECK(field_is_wrong(loss(op, scores, wanted, "none"), 0, 0) == "");
    CHECK(split_is_wrong(loss(op, scores, wanted, "none"), {0, unsplit}, std::nullopt) == "");
    CHECK(split_is_wrong(loss(op, scores, wanted, "mean"), {0, 0}, std::nullopt) == "");
  }
}

TEST_CASE("losses refuse targets that do not fit the scores") {
  const auto scores = floats({2, 2}, {1, 2, 3, 4});
  CHECK(!infer_node(loss("NegativeLogLikelihoodLoss", scores, targets({3}, {0, 1, 1}), "sum")));
  CHECK(!infer_node(
      loss("NegativeLogLikelihoodLoss", floats({2}, {1, 2}), targets({2}, {0, 1}), "sum")));
  auto test = loss("NegativeLogLikelihoodLoss", scores, targets({2}, {0, 1}), "sum");
  test.inputs.emplace_back(floats({3}, {1, 2, 3}));
  CHECK(!infer_node(test));
}
