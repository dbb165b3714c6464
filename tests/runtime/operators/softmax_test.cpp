#include "tests/support/node_runner.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case softmax(const shape& dims, std::int64_t axis, int opset, const char* op = "Softmax") {
  node_case test{.op = op, .inputs = {random_tensor({dtype::f32, dims}, 5, -8, 8)}, .opset = opset};
  test.attrs.set("axis", axis);
  return test;
}

} // namespace

TEST_CASE("Softmax and LogSoftmax agree with the oracle along every axis, old and new") {
  const shape cases[] = {{7},          {3, 10},         {2, 5, 9},   {2, 16, 4, 5},
                         {1, 3, 8, 6}, {2, 3, 2, 3, 4}, {4, 1, 1},   {2, 1000},
                         {0, 4},       {2, 48, 7, 7},   {2, 3, 4, 1}};
  for (const auto& dims : cases)
    for (int axis = -dims.rank(); axis < dims.rank(); ++axis)
      for (const int opset : {11, 13})
        for (const char* op : {"Softmax", "LogSoftmax"}) {
          INFO(op, " of ", to_string(dims), " along ", axis, " in opset ", opset);
          CHECK(kernels_disagree(softmax(dims, axis, opset, op), 1e-4, 1e-5) == "");
        }
}

TEST_CASE("Softmax normalises a matrix before opset 13 and one axis since") {
  const auto third = std::log(2.0f);
  const auto x = tensor::of<float>({1, 2, 2}, {0, third, 0, third});
  node_case test{.op = "Softmax", .inputs = {x}, .opset = 12};
  CHECK(mismatch((*run_node(test, "reference"))[0],
                 tensor::of<float>({1, 2, 2}, {1 / 6.f, 2 / 6.f, 1 / 6.f, 2 / 6.f})) <= 1);
  test.opset = 13;
  CHECK(mismatch((*run_node(test, "reference"))[0],
                 tensor::of<float>({1, 2, 2}, {1 / 3.f, 2 / 3.f, 1 / 3.f, 2 / 3.f})) <= 1);
  test.op = "LogSoftmax";
  test.attrs.set("axis", std::int64_t{1});
  const auto half = -std::log(2.0f);
  CHECK(mismatch((*run_node(test, "reference"))[0],
                 tensor::of<float>({1, 2, 2}, {half, half, half, half})) <= 1);
}

TEST_CASE("Softmax does not overflow") {
  const node_case test{.op = "Softmax", .inputs = {tensor::of<float>({2}, {1000, 1000})}};
  for (const auto& name : applicable_kernels(test))
    CHECK(identical((*run_node(test, name))[0], tensor::of<float>({2}, {0.5f, 0.5f})));
}

TEST_CASE("What Softmax says of cuts and fields holds") {
  const auto along_channels = softmax({2, 5, 3, 4}, 1, 13);
  for (const int axis : {0, 2, 3}) {
    CHECK(split_is_wrong(along_channels, {axis}, axis) == "");
    CHECK(field_is_wrong(along_channels, 0, axis) == "");
  }
  CHECK(split_is_wrong(along_channels, {1}, std::nullopt) == "");
  CHECK(field_is_wrong(along_channels, 0, 1, {.global = true}) == "");
  const auto matrix = softmax({3, 4, 5}, 1, 11);
  CHECK(split_is_wrong(matrix, {0}, 0) == "");
  CHECK(split_is_wrong(matrix, {2}, std::nullopt) == "");
  CHECK(field_is_wrong(matrix, 0, 2, {.global = true}) == "");
}

TEST_CASE("Softmax refuses an axis that is not there") {
  CHECK(infer_node(softmax({2, 3}, 2, 13)).error().code() == errc::malformed);
  CHECK(infer_node(softmax({2, 3}, 3, 11)).error().code() == errc::malformed);
}
