#pragma once

#include "runtime/tensor/image.hpp"
#include "runtime/tensor/tensor.hpp"

namespace shoal {

/// How a pixel of the result follows from pixels of the source. Pixel i covers [i, i+1); the centre
/// of result pixel o lies at c = (o + 1/2) · in / out in the source (half-pixel centres).
enum class resize_filter : std::uint8_t {
  nearest,  ///< the source pixel that holds c
  bilinear, ///< weights max(0, 1 - |d|), where d is the distance of a pixel's centre from c
  bicubic,  ///< Keys' cubic convolution with a = -1/2 over |d| < 2
  area ///< the mean over [o · in / out, (o + 1) · in / out), by the part of each pixel inside
};

/// `picture` in another size: float32[height,width,channels], values 0 to 255 (bicubic overshoots),
/// not rounded; what Pillow makes, in bytes, is `pillow_resize` (runtime/image). Separable. Weights
/// are normalised to sum 1 over the pixels that exist, which at the border leaves out what lies
/// beyond. With `antialias`, where the picture shrinks, bilinear and bicubic divide d by in / out,
/// so that every source pixel counts; without it they skip pixels.
result<tensor> resize_image(const image& picture, int width, int height, resize_filter filter,
                            bool antialias = true);

} // namespace shoal
