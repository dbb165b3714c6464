#pragma once

#include "runtime/base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>

namespace shoal {

/// Size and channels of a picture without its pixels.
struct image_extent {
  int width = 0;
  int height = 0;
  int channels = 0; ///< 1, 3 or 4, as in `image`

  friend bool operator==(const image_extent&, const image_extent&) = default;
};

/// A rectangle of pixels: columns x to x + width - 1 and rows y to y + height - 1 of a picture.
struct image_window {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;

  std::int64_t right() const { return std::int64_t{x} + width; }
  std::int64_t bottom() const { return std::int64_t{y} + height; }
  std::int64_t area() const { return std::int64_t{width} * height; }

  friend bool operator==(const image_window&, const image_window&) = default;
};

/// As in "64 x 32 pixels at (128, 0)".
std::string to_string(const image_window& window);

/// `invalid_argument` unless the window has pixels, all of them in a picture of that size.
result<void> check_window(const image_window& window, const image_extent& picture);

} // namespace shoal
