#pragma once

#include "runtime/tensor/image.hpp"

#include <cstdint>

namespace shoal {

/// How far and with which weights the pixels of the source count. d is the distance of a pixel's
/// centre from that of the result's pixel, in pixels of the source where the picture grows and
/// divided by in / out where it shrinks, so that every source pixel counts (antialiasing).
enum class pillow_filter : std::uint8_t {
  nearest,  ///< the pixel that holds the centre, whatever the scale
  box,      ///< 1 over -1/2 < d ≤ 1/2
  bilinear, ///< 1 - |d| over |d| < 1
  hamming,  ///< sinc(d) · (0.54 + 0.46 cos πd) over |d| < 1
  bicubic,  ///< Keys' cubic convolution with a = -1/2 over |d| < 2
  lanczos   ///< sinc(d) · sinc(d / 3) over |d| < 3
};

/// Which axis goes first. It matters little: values are rounded, and what overshoots is cut,
/// between the two.
enum class pillow_release : std::uint8_t {
  up_to_12, ///< the width
  from_13 ///< the height, if it loses rows, and more than twice as many as the width loses columns
};

/// `picture` in another size, byte for byte as Pillow's `Image.resize(size, filter)` makes it: for
/// models whose inputs were prepared by Pillow, as those of torchvision and timm. For numbers that
/// are not rounded, and filters without antialiasing, there is `resize_image` (runtime/tensor).
///
/// The centre of result pixel o is at (o + 1/2) · in / out. The weights of each result pixel are
/// those of the source pixels that exist, normalised to sum 1 and then rounded to 22 bits behind
/// the point. First one axis gets its length, then the other; after each step values are rounded
/// half up and cut to 0 … 255. An axis that keeps its length is left alone. With 4 channels colours
/// are multiplied by alpha before and divided by it after; `nearest` copies all four.
///
/// `invalid_argument` for a size below 1, `resource_exhausted` beyond `default_max_pixels` or
/// memory.
result<image> pillow_resize(const image& picture, int width, int height, pillow_filter filter,
                            pillow_release release = pillow_release::up_to_12);

} // namespace shoal
