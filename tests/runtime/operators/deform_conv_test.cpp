#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor random(const shape& dims, std::uint64_t seed, double bound = 1) {
  return random_tensor({dtype::f32, dims}, seed, -bound, bound);
}

tensor zeros(const shape& dims) {
  return tensor::of<float>(dims,
                           std::vector<float>(static_cast<std::size_t>(dims.element_count()), 0));
}

/// 2 images of 4 channels, 3 x 3 taps with every attribute in use, 5 x 4 places.
node_case deformed(const tensor& offsets) {
  node_case test{
      .op = "DeformConv",
      .inputs = {random({2, 4, 9, 8}, 1), random({6, 2, 3, 3}, 2), offsets, random({6}, 3)},
      .opset = 19};
  test.attrs.set("strides", std::vector<std::int64_t>{2, 2});
  test.attrs.set("pads", std::vector<std::int64_t>{1, 0, 1, 1});
  test.attrs.set("group", std::int64_t{2});
  test.attrs.set("offset_group", std::int64_t{2});
  return test;
}

} // namespace

TEST_CASE("a deformable convolution without offsets is a convolution") {
  const auto test = deformed(zeros({2, 36, 5, 4}));
  node_case plain{.op = "Conv",
                  .inputs = {test.inputs[0], test.inputs[1], test.inputs[3]},
                  .attrs = test.attrs};
  plain.attrs.erase("offset_group");
  CHECK(mismatch(run(test), run(plain)) <= 1);
}

TEST_CASE("offsets move taps, between elements and out of the image, and masks weigh them") {
  node_case test{.op = "DeformConv",
                 .inputs = {tensor::of<float>({1, 1, 2, 2}, {1, 2, 3, 4}),
                            tensor::of<float>({1, 1, 1, 1}, {10}),
                            // y of all places, then x
                            tensor::of<float>({1, 2, 2, 2}, {0.5f, 1, 0, 0, 0.5f, 0, 0.5f, 0.75f})},
                 .opset = 19};
  const auto expect = [&](const tensor& y) {
    for (const auto* kernel : {"onednn", "reference"})
      CHECK(mismatch((*run_node(test, kernel))[0], y) <= 1);
  };
  expect(tensor::of<float>({1, 1, 2, 2}, {25, 40, 35, 10}));
  test.inputs.emplace_back(tensor());
  test.inputs.emplace_back(tensor::of<float>({1, 1, 2, 2}, {1, 0, 2, 0.5f}));
  expect(tensor::of<float>({1, 1, 2, 2}, {25, 0, 70, 5}));
  test.inputs[2] = {tensor::of<float>({1, 2, 2, 2}, {NAN, INFINITY, -1e30f, -1, 0, 0, 0, NAN})};
  expect(zeros({1, 1, 2, 2}));
}

TEST_CASE("deformable convolutions agree with their reference") {
  auto test = deformed(random({2, 36, 5, 4}, 4, 4));
  CHECK(applicable_kernels(test).size() == 2);
  CHECK(kernels_disagree(test, 1e-4, 1e-4) == "");
  test.inputs.emplace_back(random({2, 18, 5, 4}, 5));
  CHECK(kernels_disagree(test, 1e-4, 1e-4) == "");
  test.inputs[3] = {tensor()};
  CHECK(kernels_disagree(test, 1e-4, 1e-4) == "");
  node_case large{.op = "DeformConv",
                  .inputs = {random({1, 16, 33, 35}, 1), random({24, 16, 2, 3}, 2),
                             random({1, 12, 32, 33}, 3, 3)},
                  .opset = 19};
  CHECK(kernels_disagree(large, 1e-4, 1e-4) == "");
}

TEST_CASE("deformable convolutions split along the batch") {
  auto test = deformed(random({2, 36, 5, 4}, 4, 2));
  CHECK(split_is_wrong(test, {0, unsplit, 0, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {0, unsplit, unsplit, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 2, 2) == "");
  CHECK(field_is_wrong(test, 0, 2, {.global = true}) == "");
}

TEST_CASE("deformable convolutions refuse operands that do not fit") {
  const auto refused = [](std::size_t i, const shape& dims) {
    auto test = deformed(zeros({2, 36, 5, 4}));
    test.inputs[i] = {zeros(dims)};
    return !infer_node(test);
  };
  CHECK(refused(0, {2, 4, 9}));
  CHECK(refused(0, {2, 3, 9, 8}));
  CHECK(refused(1, {6, 4, 3, 3}));
  CHECK(refused(2, {2, 18, 5, 4}));
  CHECK(refused(2, {2, 36, 4, 5}));
  CHECK(refused(3, {5}));
}
