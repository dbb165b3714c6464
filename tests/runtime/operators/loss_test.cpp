#include "tests/runtime/operators/known_values.hpp"

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case loss(const char* op, std::string reduction, attributes attrs = {}) {
  attrs.set("reduction", std::move(reduction));
  return {.op = op,
          .inputs = {tensor::of<float>({3, 2}, {-1, -2, -3, -4, -5, -6}),
                     tensor::of<std::int64_t>({3}, {0, 1, 1}), tensor::of<float>({2}, {1, 3})},
          .attrs = std::move(attrs)};
}

constexpr const char* likelihood = "NegativeLogLikelihoodLoss";
constexpr const char* entropy = "SoftmaxCrossEntropyLoss";

} // namespace

TEST_CASE("a loss weighs classes, leaves some out and is reduced") {
  CHECK(identical(run(loss(likelihood, "none")), tensor::of<float>({3}, {1, 12, 18})));
  CHECK(identical(run(loss(likelihood, "sum")), tensor::of<float>({}, {31})));
  CHECK(identical(run(loss(likelihood, "mean")), tensor::of<float>({}, {31.0f / 7})));
  const auto ignoring = attrs_of({{"ignore_index", std::int64_t{0}}});
  CHECK(identical(run(loss(likelihood, "mean", ignoring)), tensor::of<float>({}, {5})));
  CHECK(identical(run(loss(likelihood, "none", ignoring)), tensor::of<float>({3}, {0, 12, 18})));
  auto outside = loss(likelihood, "sum");
  outside.inputs[1].value = tensor::of<std::int64_t>({3}, {0, 2, 1});
  CHECK(run_node(outside).error().message().find("target 2 of 2 classes") != std::string::npos);
}

TEST_CASE("cross entropy is the likelihood of the softmax, which it gives too") {
  auto test = loss(entropy, "none");
  test.inputs.pop_back();
  test.outputs = 2;
  const auto outputs = run_all(test);
  const auto near = static_cast<float>(std::log1p(std::exp(-1.0))), far = near + 1;
  CHECK(mismatch(outputs[0], tensor::of<float>({3}, {near, far, far})) <= 1);
  CHECK(mismatch(outputs[1], tensor::of<float>({3, 2}, {-near, -far, -near, -far, -near, -far})) <=
        1);
}

TEST_CASE("losses of single elements can be cut, a sum of them cannot") {
  for (const char* op : {likelihood, entropy}) {
    node_case test{
        .op = op,
        .inputs = {random_tensor({dtype::f32, {3, 2, 4}}, 1),
                   tensor::of<std::int64_t>({3, 4}, {0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0})},
        .attrs = attrs_of({{"reduction", std::string("none")}})};
    CHECK(kernels_disagree(test) == "");
    CHECK(field_is_wrong(test, 0, 0) == "");
    CHECK(field_is_wrong(test, 0, 1, {.global = true}) == "");
    CHECK(split_is_wrong(test, {0, 0}, 0) == "");
    CHECK(split_is_wrong(test, {2, 1}, std::nullopt) == "");
    test.attrs = {};
    CHECK(kernels_disagree(test) == "");
    CHECK(split_is_wrong(test, {0, 0}, std::nullopt) == "");
  }
}
