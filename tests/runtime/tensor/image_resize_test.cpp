#include "runtime/tensor/image_resize.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

using namespace shoal;

namespace {

image random_image(int width, int height, int channels, std::mt19937_64& random) {
  auto picture = *make_image(width, height, channels);
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(random());
  return picture;
}

/// The weight of source pixel `i` for result pixel `o`, straight from the definition, not
/// normalised.
double weight(resize_filter filter, bool antialias, int i, int o, int in, int out) {
  const double ratio = double(in) / out;
  const double begin = double(o) * in / out, end = double(o + 1) * in / out;
  double d = std::abs(i + 0.5 - (o + 0.5) * ratio);
  if (antialias && ratio > 1) d /= ratio;
  switch (filter) {
  case resize_filter::nearest:
    return i == (2 * o + 1) * in / (2 * out) ? 1 : 0;
  case resize_filter::bilinear:
    return d < 1 ? 1 - d : 0;
  case resize_filter::bicubic:
    if (d < 1) return 1.5 * d * d * d - 2.5 * d * d + 1;
    if (d < 2) return -0.5 * d * d * d + 2.5 * d * d - 4 * d + 2;
    return 0;
  case resize_filter::area:
    break;
  }
  return std::max(0.0, std::min(i + 1.0, end) - std::max(double(i), begin));
}

/// Every result value as a sum over the whole picture.
std::vector<double> resize_plainly(const image& from, int width, int height, resize_filter filter,
                                   bool antialias) {
  std::vector<double> values;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < from.channels; ++c) {
        double sum = 0, weights = 0;
        for (int v = 0; v < from.height; ++v)
          for (int u = 0; u < from.width; ++u) {
            const double w = weight(filter, antialias, u, x, from.width, width) *
                             weight(filter, antialias, v, y, from.height, height);
            sum +=
                w * from.pixels[static_cast<std::size_t>((v * from.width + u) * from.channels + c)];
            weights += w;
          }
        values.push_back(sum / weights);
      }
  return values;
}

} // namespace

TEST_CASE("resizing agrees with the definition on odd sizes") {
  const std::uint64_t seed = 71;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 60; ++round) {
    const auto size = [&] { return static_cast<int>(1 + random() % 23); };
    const int channels = std::array{1, 3, 4}[random() % 3];
    const auto picture = random_image(size(), size(), channels, random);
    const int width = size(), height = size();
    const bool antialias = random() % 2 == 0;
    CAPTURE(picture.width);
    CAPTURE(picture.height);
    CAPTURE(width);
    CAPTURE(height);
    CAPTURE(antialias);
    for (const auto filter : {resize_filter::nearest, resize_filter::bilinear,
                              resize_filter::bicubic, resize_filter::area}) {
      CAPTURE(static_cast<int>(filter));
      const auto resized = resize_image(picture, width, height, filter, antialias);
      REQUIRE(resized);
      CHECK(resized->type() == tensor_type{dtype::f32, {height, width, channels}});
      const auto expected = resize_plainly(picture, width, height, filter, antialias);
      double worst = 0;
      for (std::size_t i = 0; i < expected.size(); ++i)
        worst = std::max(worst, std::abs(expected[i] - double(resized->values<float>()[i])));
      CHECK(worst < 1e-3);
    }
  }
}

TEST_CASE("the same size is the same picture, whatever the filter") {
  std::mt19937_64 random(3);
  const auto picture = random_image(13, 7, 3, random);
  for (const auto filter : {resize_filter::nearest, resize_filter::bilinear, resize_filter::bicubic,
                            resize_filter::area}) {
    const auto same = *resize_image(picture, 13, 7, filter);
    for (std::size_t i = 0; i < picture.pixels.size(); ++i)
      REQUIRE(same.values<float>()[i] == static_cast<float>(picture.pixels[i]));
  }
}

TEST_CASE("halving by area takes the mean of four, doubling by bilinear keeps half-pixel centres") {
  const image four{2, 2, 1, {10, 20, 30, 60}};
  CHECK(resize_image(four, 1, 1, resize_filter::area)->values<float>()[0] == 30.0f);
  const image two{2, 1, 1, {0, 100}};
  const auto wide = *resize_image(two, 4, 1, resize_filter::bilinear);
  const std::array expected{0.0f, 25.0f, 75.0f, 100.0f};
  for (std::size_t i = 0; i < 4; ++i) CHECK(wide.values<float>()[i] == expected[i]);
}

TEST_CASE("sizes out of bounds are refused") {
  const image one{1, 1, 1, {5}};
  CHECK(resize_image(one, 0, 5, resize_filter::area).error().code() == errc::invalid_argument);
  CHECK(resize_image(one, 5, -1, resize_filter::area).error().code() == errc::invalid_argument);
  CHECK(resize_image(one, 1 << 20, 1 << 20, resize_filter::area).error().code() ==
        errc::resource_exhausted);
  CHECK(resize_image({}, 1, 1, resize_filter::area).error().code() == errc::invalid_argument);
}
