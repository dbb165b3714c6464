#pragma once

#include "runtime/image/copy_window.hpp"
#include "runtime/image/image_window.hpp"
#include "runtime/tensor/image.hpp"

#include <algorithm>
#include <cmath>
#include <random>

namespace shoal::test {

inline image random_picture(int width, int height, int channels, std::mt19937_64& random) {
  auto picture = *make_image(width, height, channels);
  for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(random());
  return picture;
}

/// Smooth, as photographs are: JPEG keeps it nearly as it is.
inline image smooth_picture(int width, int height, int channels) {
  auto picture = *make_image(width, height, channels);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c)
        picture.pixels[static_cast<std::size_t>((y * width + x) * channels + c)] =
            static_cast<std::uint8_t>(128 + 100 * std::sin(0.1 * x + c) * std::cos(0.07 * y - c));
  return picture;
}

/// What a window of `picture` shows.
inline image part_of(const image& picture, const image_window& window) {
  auto part = *make_image(window.width, window.height, picture.channels);
  copy_window({picture.pixels.data(), {0, 0, picture.width, picture.height}},
              {part.pixels.data(), window}, window, picture.channels);
  return part;
}

/// A window inside a picture of that size.
inline image_window random_window(int width, int height, std::mt19937_64& random) {
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const int x = below(width), y = below(height);
  return {x, y, 1 + below(width - x), 1 + below(height - y)};
}

} // namespace shoal::test
