#include "tests/runtime/operators/known_values.hpp"

#include <limits>

using namespace shoal;
using namespace shoal::test;

namespace {

/// A row of four pixels, 1 to 4, and places along it.
tensor sample_row(const std::vector<float>& places, attributes attrs, int opset = 16) {
  std::vector<float> grid;
  for (const float x : places) grid.insert(grid.end(), {x, 0});
  return run(
      {.op = "GridSample",
       .inputs = {tensor::of<float>({1, 1, 1, 4}, {1, 2, 3, 4}),
                  tensor::of<float>({1, 1, static_cast<std::int64_t>(places.size()), 2}, grid)},
       .attrs = std::move(attrs),
       .opset = opset});
}

attributes with(const char* mode, const char* padding, std::int64_t corners = 0) {
  return attrs_of({{"mode", std::string(mode)},
                   {"padding_mode", std::string(padding)},
                   {"align_corners", corners}});
}

node_case random_case(int spatial_axes, attributes attrs) {
  shape x{2, 3}, grid{2};
  for (int axis = 0; axis < spatial_axes; ++axis) {
    x.push_back(3 + axis);
    grid.push_back(2 + axis);
  }
  grid.push_back(spatial_axes);
  return {.op = "GridSample",
          .inputs = {random_tensor({dtype::f32, x}, 1),
                     random_tensor({dtype::f32, grid}, 2, -1.6, 1.6)},
          .attrs = std::move(attrs),
          .opset = 20};
}

} // namespace

TEST_CASE("GridSample reads between the pixels and beyond them") {
  // -1 and 1 are the outer edges: a pixel is half a unit wide.
  CHECK(identical(sample_row({-0.75f, -0.5f, 1, 1.5f}, with("bilinear", "zeros")),
                  tensor::of<float>({1, 1, 1, 4}, {1, 1.5f, 2, 0})));
  CHECK(identical(sample_row({-0.75f, -0.5f, 1, 1.5f}, with("linear", "border"), 20),
                  tensor::of<float>({1, 1, 1, 4}, {1, 1.5f, 4, 4})));
  CHECK(identical(sample_row({1.25f, 1.75f, -1.75f, 4.75f}, with("bilinear", "reflection")),
                  tensor::of<float>({1, 1, 1, 4}, {4, 3, 2, 4})));
  // -1 and 1 are the centres of the outer pixels.
  CHECK(identical(sample_row({-1, 0, 1}, with("bilinear", "zeros", 1)),
                  tensor::of<float>({1, 1, 1, 3}, {1, 2.5f, 4})));
  // Half way the even pixel is the nearest.
  CHECK(identical(sample_row({-0.5f, 0, 0.5f}, with("nearest", "zeros")),
                  tensor::of<float>({1, 1, 1, 3}, {1, 3, 3})));
  // Keys' cubic with a = -3/4 half way: -3/32, 19/32, 19/32, -3/32.
  CHECK(mismatch(sample_row({0}, with("cubic", "zeros"), 20),
                 tensor::of<float>({1, 1, 1, 1}, {2.5f})) <= 1);
  CHECK(identical(
      sample_row({-0.5f}, with("bicubic", "border")),
      tensor::of<float>({1, 1, 1, 1}, {19 / 32.0f + 38 / 32.0f - 9 / 32.0f - 3 / 32.0f})));
  CHECK(mismatch(sample_row({-1}, with("bicubic", "border")),
                 tensor::of<float>({1, 1, 1, 1}, {29 / 32.0f})) <= 1);
}

TEST_CASE("GridSample survives places that are none") {
  const float infinite = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const char* padding : {"zeros", "border", "reflection"})
    for (const char* mode : {"nearest", "linear", "cubic"})
      for (const auto got = sample_row({infinite, -infinite, nan, 3e38f}, with(mode, padding), 20);
           const float v : got.values<float>())
        CHECK((v >= -1 && v <= 5));
}

TEST_CASE("GridSample states what it reads and how it can be cut") {
  for (const int axes : {1, 2, 3})
    for (const char* mode : {"nearest", "linear", "cubic"})
      CHECK(kernels_disagree(random_case(axes, with(mode, "reflection"))) == "");
  const auto test = random_case(2, with("linear", "zeros"));
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2, {.global = true}) == "");
  CHECK(field_is_wrong(test, 1, 0) == "");
  CHECK(split_is_wrong(test, {0, 0}, 0) == "");
  CHECK(split_is_wrong(test, {1, unsplit}, 1) == "");
  CHECK(split_is_wrong(test, {0, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {2, unsplit}, std::nullopt) == "");
  CHECK(refusal({.op = "GridSample",
                 .inputs = {counting({1, 1, 2, 2}), counting({2, 1, 1, 2})},
                 .opset = 16})
            .find("expected [1,...,2]") != std::string::npos);
}
