#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor eye(std::int64_t k) {
  node_case test{.op = "EyeLike", .inputs = {tensor::of<float>({2, 3}, {9, 9, 9, 9, 9, 9})}};
  test.attrs.set("k", k);
  return (*run_node(test))[0];
}

} // namespace

TEST_CASE("EyeLike has ones on one diagonal, which may lie beyond the matrix") {
  CHECK(identical(eye(0), tensor::of<float>({2, 3}, {1, 0, 0, 0, 1, 0})));
  CHECK(identical(eye(2), tensor::of<float>({2, 3}, {0, 0, 1, 0, 0, 0})));
  CHECK(identical(eye(-1), tensor::of<float>({2, 3}, {0, 0, 0, 1, 0, 0})));
  for (const std::int64_t k : {std::int64_t{3}, std::int64_t{-2}, INT64_MAX, INT64_MIN})
    CHECK(identical(eye(k), tensor::of<float>({2, 3}, {0, 0, 0, 0, 0, 0})));
}

TEST_CASE("EyeLike has the type of its input unless another is named") {
  node_case test{.op = "EyeLike", .inputs = {random_tensor({dtype::i32, {1, 2}}, 1)}};
  CHECK(identical((*run_node(test))[0], tensor::of<std::int32_t>({1, 2}, {1, 0})));
  test.attrs.set("dtype", std::int64_t{9});
  CHECK(identical((*run_node(test))[0], tensor::of<bool>({1, 2}, {true, false})));
  test.attrs.set("dtype", std::int64_t{8});
  CHECK(!infer_node(test));
  CHECK(!infer_node({.op = "EyeLike", .inputs = {random_tensor({dtype::f32, {2, 2, 2}}, 1)}}));
}
