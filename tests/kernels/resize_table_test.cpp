#include "kernels/resize_table.hpp"

#include <doctest/doctest.h>

using namespace shoal;

TEST_CASE("a scale stands for the fraction it was rounded from") {
  CHECK(intended_scale(2.0f) == 2.0);
  CHECK(intended_scale(1.0f / 3) == 1.0 / 3);
  CHECK(intended_scale(0.6f) == 0.6);
  CHECK(intended_scale(3.14159f) == static_cast<double>(3.14159f));
}

TEST_CASE("each way to place outputs over inputs") {
  const auto taps = [](resize_coordinates coordinates, resize_axis axis) {
    return make_resize_table({.mode = interpolation::linear, .coordinates = coordinates}, axis, 0,
                             axis.out - 1);
  };
  const auto half = taps(resize_coordinates::half_pixel, {2, 4, 2});
  CHECK(half.index == std::vector<std::int64_t>{0, 0, 0, 1, 0, 1, 1, 1});
  CHECK(half.weight == std::vector<float>{0.25f, 0.75f, 0.75f, 0.25f, 0.25f, 0.75f, 0.75f, 0.25f});
  const auto corners = taps(resize_coordinates::align_corners, {2, 4, 2});
  CHECK(corners.weight[1] == 0);
  CHECK(corners.weight[3] == doctest::Approx(1.0 / 3));
  CHECK(corners.index[6] == 1);
  const auto asymmetric = taps(resize_coordinates::asymmetric, {2, 4, 2});
  CHECK(asymmetric.weight[3] == 0.5f);
  const auto single = taps(resize_coordinates::pytorch_half_pixel, {5, 1, 0.2});
  CHECK(single.taps == 1);
  CHECK(single.index[0] == 0);
  const auto same = taps(resize_coordinates::half_pixel, {3, 3, 1});
  CHECK(same.taps == 1); // idle taps would read what they do not need
  CHECK(same.index == std::vector<std::int64_t>{0, 1, 2});
}

TEST_CASE("each way to round to the nearest") {
  const auto indices = [](nearest_rounding rounding) {
    return make_resize_table({.rounding = rounding}, {8, 4, 0.5}, 0, 3).index; // at 0.5, 2.5, ...
  };
  CHECK(indices(nearest_rounding::prefer_floor) == std::vector<std::int64_t>{0, 2, 4, 6});
  CHECK(indices(nearest_rounding::prefer_ceil) == std::vector<std::int64_t>{1, 3, 5, 7});
  CHECK(indices(nearest_rounding::floor) == std::vector<std::int64_t>{0, 2, 4, 6});
  CHECK(indices(nearest_rounding::ceil) == std::vector<std::int64_t>{1, 3, 5, 7});
}

TEST_CASE("cubic weights sum to one, outside elements excluded or not") {
  for (const bool exclude : {false, true}) {
    const auto table = make_resize_table({.mode = interpolation::cubic, .exclude_outside = exclude},
                                         {5, 13, 2.6}, 0, 12);
    REQUIRE(table.taps == 4);
    for (std::size_t o = 0; o < 13; ++o)
      CHECK(table.weight[4 * o] + table.weight[4 * o + 1] + table.weight[4 * o + 2] +
                table.weight[4 * o + 3] ==
            doctest::Approx(1));
  }
}

TEST_CASE("a tile has the weights of its place in the image") {
  for (const float given : {2.0f, 3.0f, 1.5f, 0.75f, 4.0f, 1.0f / 3, 2.0f / 3, 0.6f})
    for (const auto mode : {interpolation::linear, interpolation::cubic}) {
      CAPTURE(given);
      const double scale = intended_scale(given);
      constexpr std::int64_t shift = 1800, out_shift_base = 1800; // a multiple of all denominators
      const auto out_shift = static_cast<std::int64_t>(out_shift_base * scale + 0.5);
      const resize_rule rule{.mode = mode};
      const auto whole =
          make_resize_table(rule, {100000, 300000, scale}, out_shift + 40, out_shift + 60);
      const auto tile = make_resize_table(rule, {1000, 3000, scale}, 40, 60);
      CHECK(whole.weight == tile.weight);
      for (std::size_t i = 0; i < tile.index.size(); ++i)
        CHECK(whole.index[i] == tile.index[i] + shift);
    }
}
