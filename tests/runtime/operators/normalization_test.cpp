#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor uniform(const shape& dims, std::uint64_t seed, double low = -1, double high = 1) {
  return random_tensor({dtype::f32, dims}, seed, low, high);
}

node_case batch_norm(const shape& dims, bool constant) {
  const shape c{dims[1]};
  return {.op = "BatchNormalization",
          .inputs = {uniform(dims, 1),
                     {uniform(c, 2), constant},
                     {uniform(c, 3), constant},
                     {uniform(c, 4), constant},
                     {uniform(c, 5, 0.1, 2), constant}}};
}

node_case instance_norm(const shape& dims) {
  return {.op = "InstanceNormalization",
          .inputs = {uniform(dims, 1, 5, 6), uniform({dims[1]}, 2), uniform({dims[1]}, 3)}};
}

node_case layer_norm(const shape& dims, std::int64_t axis, const shape& scale, bool shifted) {
  node_case test{.op = "LayerNormalization", .inputs = {uniform(dims, 1, 1, 3), uniform(scale, 2)}};
  if (shifted) test.inputs.push_back(uniform(scale, 3));
  test.attrs.set("axis", axis);
  return test;
}

node_case lrn(const shape& dims, std::int64_t size) {
  node_case test{.op = "LRN", .inputs = {uniform(dims, 1, -3, 3)}};
  test.attrs.set("size", size);
  test.attrs.set("alpha", 0.1f);
  test.attrs.set("beta", 0.75f);
  test.attrs.set("bias", 1.5f);
  return test;
}

} // namespace

TEST_CASE("BatchNormalization gives the same bits in every layout, close to the oracle") {
  const shape cases[] = {{2, 3},          {2, 17, 5},      {1, 16, 7, 9},    {3, 35, 4, 4},
                         {2, 8, 3, 2, 5}, {1, 48, 64, 64}, {2, 5, 300, 301}, {0, 4, 2, 2}};
  for (const auto& dims : cases)
    for (const bool constant : {true, false}) {
      INFO(to_string(dims), " constant ", constant);
      auto test = batch_norm(dims, constant);
      CHECK(kernels_disagree(test, 1e-5, 1e-5) == "");
      const auto plain = run_node(test, "cpu");
      REQUIRE(plain);
      for (const auto format : {layout::channels_last, layout::blocked_8, layout::blocked_16}) {
        test.producers = format;
        CHECK(identical((*run_node(test, "cpu"))[0], (*plain)[0]));
      }
    }
}

TEST_CASE("InstanceNormalization agrees with the oracle") {
  for (const auto& dims : {shape{2, 3, 5}, shape{1, 17, 9, 7}, shape{2, 4, 3, 5, 6},
                           shape{1, 3, 130, 131}, shape{1, 1, 1}}) {
    INFO(to_string(dims));
    CHECK(kernels_disagree(instance_norm(dims), 1e-4, 1e-4) == "");
  }
}

TEST_CASE("LayerNormalization agrees with the oracle on every axis, scale and shift") {
  for (const bool shifted : {true, false}) {
    CHECK(kernels_disagree(layer_norm({4, 7, 96}, -1, {96}, shifted), 1e-4, 1e-4) == "");
    CHECK(kernels_disagree(layer_norm({4, 7, 33}, 1, {7, 33}, shifted), 1e-4, 1e-4) == "");
    CHECK(kernels_disagree(layer_norm({4, 3, 5}, 0, {4, 3, 5}, shifted), 1e-4, 1e-4) == "");
    CHECK(kernels_disagree(layer_norm({4, 3, 5}, 1, {3, 1}, shifted), 1e-4, 1e-4) == "");
    CHECK(kernels_disagree(layer_norm({4, 3, 5}, -1, {1}, shifted), 1e-4, 1e-4) == "");
    CHECK(kernels_disagree(layer_norm({0, 5}, -1, {5}, shifted), 1e-4, 1e-4) == "");
  }
}

TEST_CASE("LayerNormalization gives mean and inverse deviation when asked") {
  auto test = layer_norm({2, 2}, -1, {2}, false);
  test.inputs = {tensor::of<float>({2, 2}, {1, 3, 2, 10}), tensor::of<float>({2}, {1, 2})};
  test.attrs.set("epsilon", 0.0f);
  test.outputs = 3;
  const auto outputs = run_node(test);
  REQUIRE(outputs);
  CHECK(identical((*outputs)[0], tensor::of<float>({2, 2}, {-1, 2, -1, 2})));
  CHECK(identical((*outputs)[1], tensor::of<float>({2, 1}, {2, 6})));
  CHECK(identical((*outputs)[2], tensor::of<float>({2, 1}, {1, 0.25f})));
}

TEST_CASE("LRN agrees with the oracle for odd and even windows") {
  for (const auto& dims : {shape{1, 3, 4, 5}, shape{2, 32, 5, 7}, shape{1, 17, 3, 3},
                           shape{1, 96, 9, 9}, shape{1, 8, 5}, shape{1, 9, 2, 3, 4}})
    for (const std::int64_t size : {1, 2, 3, 4, 5, 7}) {
      INFO(to_string(dims), " size ", size);
      CHECK(kernels_disagree(lrn(dims, size), 1e-4, 1e-5) == "");
    }
}

TEST_CASE("LRN of an even size reaches one channel further behind than in front") {
  auto test = lrn({1, 3, 1}, 2);
  test.inputs = {tensor::of<float>({1, 3, 1}, {1, 2, 3})};
  test.attrs.set("alpha", 2.0f);
  test.attrs.set("beta", 1.0f);
  test.attrs.set("bias", 0.0f);
  // Sums of squares: 1 + 4, 4 + 9, 9.
  CHECK(mismatch((*run_node(test))[0],
                 tensor::of<float>({1, 3, 1}, {1 / 5.f, 2 / 13.f, 3 / 9.f})) <= 1);
}

TEST_CASE("What normalisations say of cuts and fields holds") {
  const auto batch = batch_norm({2, 3, 4, 5}, true);
  for (const int axis : {0, 1, 2, 3}) CHECK(field_is_wrong(batch, 0, axis) == "");
  for (const int axis : {0, 2, 3})
    CHECK(split_is_wrong(batch, {axis, unsplit, unsplit, unsplit, unsplit}, axis) == "");
  CHECK(split_is_wrong(batch, {1, unsplit, unsplit, unsplit, unsplit}, std::nullopt) == "");

  const auto instance = instance_norm({2, 3, 4, 5});
  for (const int axis : {0, 1}) CHECK(field_is_wrong(instance, 0, axis) == "");
  CHECK(field_is_wrong(instance, 0, 2, {.global = true}) == "");
  CHECK(split_is_wrong(instance, {0, unsplit, unsplit}, 0) == "");
  CHECK(split_is_wrong(instance, {2, unsplit, unsplit}, std::nullopt) == "");

  const auto layer = layer_norm({3, 4, 5}, -1, {5}, true);
  CHECK(field_is_wrong(layer, 0, 1) == "");
  CHECK(field_is_wrong(layer, 0, 2, {.global = true}) == "");
  CHECK(split_is_wrong(layer, {1, unsplit, unsplit}, 1) == "");
  CHECK(split_is_wrong(layer, {2, unsplit, unsplit}, std::nullopt) == "");

  const auto response = lrn({2, 9, 3, 2}, 4);
  for (const int axis : {0, 1, 2, 3}) CHECK(field_is_wrong(response, 0, axis) == "");
  CHECK(split_is_wrong(response, {2}, 2) == "");
  CHECK(split_is_wrong(response, {1}, std::nullopt) == "");
}

TEST_CASE("in training a batch is normalised by itself, and the statistics move towards its own") {
  node_case test{.op = "BatchNormalization",
                 .inputs = {tensor::of<float>({2, 2, 1}, {1, 10, 3, 30}),
                            tensor::of<float>({2}, {1, 2}), tensor::of<float>({2}, {0, 5}),
                            tensor::of<float>({2}, {4, 4}), tensor::of<float>({2}, {8, 8})},
                 .outputs = 3};
  test.attrs.set("training_mode", std::int64_t{1});
  test.attrs.set("momentum", 0.5f);
  const auto outputs = *run_node(test);
  CHECK(mismatch(outputs[0], tensor::of<float>({2, 2, 1}, {-1, 3, 1, 7})) <= 1);
  CHECK(mismatch(outputs[1], tensor::of<float>({2}, {3, 12})) <= 1);    // from means of 2 and 20
  CHECK(mismatch(outputs[2], tensor::of<float>({2}, {4.5f, 54})) <= 1); // variances of 1 and 100
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 0, {.global = true}) == "");
  CHECK(split_is_wrong(test, {0, unsplit, unsplit, unsplit, unsplit}, std::nullopt) == "");
  test.outputs = 4;
  CHECK(infer_node(test).error().code() == errc::unsupported);
}

TEST_CASE("Normalisations refuse what belongs to training or does not fit") {
  auto batch = batch_norm({2, 3, 4}, true);
  batch.outputs = 2;
  CHECK(infer_node(batch).error().code() == errc::unsupported);
  batch.outputs = 1;
  batch.inputs[3] = uniform({4}, 1);
  CHECK(infer_node(batch).error().message().find("expected [3]") != std::string::npos);
  CHECK(infer_node(layer_norm({2, 3}, -1, {2}, true)).error().code() == errc::invalid_argument);
  CHECK(infer_node(lrn({1, 3, 2, 2}, 0)).error().code() == errc::malformed);
}
