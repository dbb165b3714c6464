#pragma once

#include "runtime/tensor/image.hpp"
#include "runtime/tensor/image_resize.hpp"
#include "runtime/tensor/tensor.hpp"

#include <array>

namespace shoal {

enum class resize_mode : std::uint8_t {
  none,        ///< keep the size
  stretch,     ///< to `resize_width` x `resize_height`, whatever becomes of the proportions
  shorter_side ///< the shorter side to `shorter_side`, the longer in proportion, rounded down
};

enum class image_channels : std::uint8_t {
  rgb,
  bgr,
  luma ///< one channel: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601, full range, as in JPEG)
};

enum class image_layout : std::uint8_t { nchw, nhwc };

/// How a picture becomes the input of a model. The steps, in this order: resize, crop from the
/// centre, choose channels, then each value x (0 to 255) becomes (x · scale − mean) / deviation, in
/// float32, and is converted to `type`. The defaults make float32 [1,3,height,width] in [0, 1].
struct image_input_options {
  resize_mode resize = resize_mode::none;
  int resize_width = 0;  ///< for `stretch`
  int resize_height = 0; ///< for `stretch`
  int shorter_side = 0;  ///< for `shorter_side`
  resize_filter filter = resize_filter::bilinear;
  bool antialias = true;

  /// 0 keeps that side whole. An odd remainder loses one pixel more at the right or bottom.
  int crop_width = 0;
  int crop_height = 0;

  /// A gray picture becomes three equal channels for `rgb` and `bgr`; alpha is dropped.
  image_channels channels = image_channels::rgb;
  image_layout layout = image_layout::nchw;
  /// float32, float16 or uint8; uint8 is rounded half away from zero and cut to 0 … 255, and wants
  /// a scale of 1.
  dtype type = dtype::f32;
  float scale = 1.0f / 255.0f;
  /// Per channel in the order of the output; `luma` uses the first.
  std::array<float, 3> mean{0, 0, 0};
  std::array<float, 3> deviation{1, 1, 1};
};

/// A tensor of one picture: [1,channels,height,width] or [1,height,width,channels].
/// `invalid_argument` for options that contradict themselves or the picture.
result<tensor> image_to_tensor(const image& picture, const image_input_options& options = {});

/// How the output of a model becomes a picture.
struct image_output_options {
  image_layout layout = image_layout::nchw;
  bool bgr = false;   ///< the order of three or four channels is blue, green, red(, alpha)
  float white = 1.0f; ///< the value that becomes 255: 1 for [0, 1], 255 for [0, 255]
};

/// The picture in a tensor of rank 3, or of rank 4 with a batch of one: 1, 3 or 4 channels,
/// float32, float16 or uint8. Each value v becomes v · 255 / white, rounded half away from zero and
/// cut to 0 … 255; NaN becomes 0.
result<image> tensor_to_image(const tensor& values, const image_output_options& options = {});

} // namespace shoal
