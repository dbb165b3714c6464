#include "runtime/tensor/image_tensor.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

/// Rounds half away from zero and cuts to 0 … 255; NaN becomes 0.
std::uint8_t to_byte(float value) {
  if (!(value > 0)) return 0;
  return value >= 255 ? 255 : static_cast<std::uint8_t>(std::round(value));
}

template <class T>
T converted(float value) {
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return to_byte(value);
  else
    return T(value);
}

struct extent {
  int width = 0;
  int height = 0;
};

result<void> check_options(const image_input_options& options) {
  if (options.type != dtype::f32 && options.type != dtype::f16 && options.type != dtype::u8)
    return fail(errc::invalid_argument, "expected float32, float16 or uint8 for an image, got {}",
                to_string(options.type));
  bool sound = std::isfinite(options.scale);
  for (int c = 0; c < 3; ++c) {
    const auto i = static_cast<std::size_t>(c);
    sound = sound && std::isfinite(options.mean[i]) && std::isfinite(options.deviation[i]) &&
            options.deviation[i] != 0;
  }
  if (!sound)
    return fail(errc::invalid_argument,
                "scale, mean and deviation of an image must be finite, the deviation not 0");
  return {};
}

result<extent> resized_extent(const image& picture, const image_input_options& options) {
  switch (options.resize) {
  case resize_mode::none:
    break;
  case resize_mode::stretch:
    return extent{options.resize_width, options.resize_height};
  case resize_mode::shorter_side: {
    const std::int64_t side = options.shorter_side;
    const auto [shorter, longer] = std::minmax(picture.width, picture.height);
    const std::int64_t other = side * longer / shorter;
    if (side < 1 || other > static_cast<std::int64_t>(default_max_pixels))
      return fail(errc::invalid_argument, "cannot resize the shorter side of {} x {} pixels to {}",
                  picture.width, picture.height, side);
    const int long_side = static_cast<int>(other);
    return picture.width <= picture.height ? extent{options.shorter_side, long_side}
                                           : extent{long_side, options.shorter_side};
  }
  }
  return extent{picture.width, picture.height};
}

/// Pixels to take from: interleaved, `Source` is std::uint8_t or float.
template <class Source>
struct window {
  const Source* first; ///< of the crop
  std::ptrdiff_t row;  ///< distance between rows
  int channels;
  extent size;
};

/// Writes channel `c` of the output, `step` elements apart, rows without gaps.
template <class T, class Source>
void write_channel(const window<Source>& from, T* to, std::ptrdiff_t step, int c,
                   const image_input_options& options) {
  const auto i = static_cast<std::size_t>(c);
  const float scale = options.scale, mean = options.mean[i], deviation = options.deviation[i];
  const bool colour = from.channels >= 3;
  const bool luma = options.channels == image_channels::luma && colour;
  const int source = !colour ? 0 : options.channels == image_channels::bgr ? 2 - c : c;
  for (int y = 0; y < from.size.height; ++y) {
    const Source* pixel = from.first + y * from.row;
    for (int x = 0; x < from.size.width; ++x, pixel += from.channels, to += step) {
      const float value = luma ? 0.299f * static_cast<float>(pixel[0]) +
                                     0.587f * static_cast<float>(pixel[1]) +
                                     0.114f * static_cast<float>(pixel[2])
                               : static_cast<float>(pixel[source]);
      *to = converted<T>((value * scale - mean) / deviation);
    }
  }
}

template <class T, class Source>
void write_channels(const window<Source>& from, tensor& to, const image_input_options& options) {
  const int channels = options.channels == image_channels::luma ? 1 : 3;
  T* out = to.mutable_values<T>().data();
  const auto plane = std::ptrdiff_t{from.size.width} * from.size.height;
  for (int c = 0; c < channels; ++c) {
    if (options.layout == image_layout::nchw)
      write_channel(from, out + c * plane, 1, c, options);
    else
      write_channel(from, out + c, channels, c, options);
  }
}

/// Crops from the `whole` picture at `pixels` and converts.
template <class Source>
result<tensor> crop_and_convert(const Source* pixels, extent whole, int channels,
                                const image_input_options& options) {
  const extent size{options.crop_width == 0 ? whole.width : options.crop_width,
                    options.crop_height == 0 ? whole.height : options.crop_height};
  if (size.width < 0 || size.height < 0 || size.width > whole.width || size.height > whole.height)
    return fail(errc::invalid_argument, "cannot crop {} x {} pixels out of {} x {}", size.width,
                size.height, whole.width, whole.height);
  const std::ptrdiff_t row = std::ptrdiff_t{whole.width} * channels;
  const std::ptrdiff_t left = (whole.width - size.width) / 2;
  const std::ptrdiff_t top = (whole.height - size.height) / 2;
  const window<Source> from{pixels + top * row + left * channels, row, channels, size};
  const int planes = options.channels == image_channels::luma ? 1 : 3;
  const shape dims = options.layout == image_layout::nchw
                         ? shape{1, planes, size.height, size.width}
                         : shape{1, size.height, size.width, planes};
  SHOAL_TRY(auto values, tensor::allocate({options.type, dims}));
  if (options.type == dtype::f32)
    write_channels<float>(from, values, options);
  else if (options.type == dtype::f16)
    write_channels<half>(from, values, options);
  else
    write_channels<std::uint8_t>(from, values, options);
  return values;
}

template <class T>
void read_pixels(const T* from, image& picture, const image_output_options& options) {
  const std::size_t channels = static_cast<std::size_t>(picture.channels);
  const std::size_t plane = picture.pixels.size() / channels;
  const bool planar = options.layout == image_layout::nchw;
  const float factor = 255.0f / options.white;
  for (std::size_t c = 0; c < channels; ++c) {
    const std::size_t source = options.bgr && channels >= 3 && c < 3 ? 2 - c : c;
    const T* value = from + (planar ? source * plane : source);
    const std::size_t step = planar ? 1 : channels;
    for (std::size_t i = 0; i < plane; ++i)
      picture.pixels[i * channels + c] = to_byte(static_cast<float>(value[i * step]) * factor);
  }
}

} // namespace

result<tensor> image_to_tensor(const image& picture, const image_input_options& options) {
  SHOAL_CHECK(check_image(picture));
  SHOAL_CHECK(check_options(options));
  SHOAL_TRY(const auto size, resized_extent(picture, options));
  if (size.width == picture.width && size.height == picture.height)
    return crop_and_convert(picture.pixels.data(), size, picture.channels, options);
  SHOAL_TRY(const auto resized,
            resize_image(picture, size.width, size.height, options.filter, options.antialias));
  return crop_and_convert(resized.values<float>().data(), size, picture.channels, options);
}

result<image> tensor_to_image(const tensor& values, const image_output_options& options) {
  const auto& dims = values.dims();
  if (dims.rank() != 3 && !(dims.rank() == 4 && dims[0] == 1))
    return fail(errc::invalid_argument,
                "expected 3 dimensions, or 4 with a batch of 1, for an image, got {}",
                to_string(values.type()));
  if (!(std::isfinite(options.white) && options.white > 0))
    return fail(errc::invalid_argument, "expected a positive value for white, got {}",
                options.white);
  const int first = dims.rank() - 3;
  const bool planar = options.layout == image_layout::nchw;
  const auto channels = dims[planar ? first : first + 2];
  const auto height = dims[planar ? first + 1 : first];
  const auto width = dims[planar ? first + 2 : first + 1];
  constexpr auto cap = static_cast<std::int64_t>(default_max_pixels);
  if ((channels != 1 && channels != 3 && channels != 4) || height > cap || width > cap)
    return fail(errc::invalid_argument, "{} is no image of 1, 3 or 4 channels",
                to_string(values.type()));
  SHOAL_TRY(auto picture, make_image(static_cast<int>(width), static_cast<int>(height),
                                     static_cast<int>(channels)));
  switch (values.element_type()) {
  case dtype::f32:
    read_pixels(values.values<float>().data(), picture, options);
    break;
  case dtype::f16:
    read_pixels(values.values<half>().data(), picture, options);
    break;
  case dtype::u8:
    read_pixels(values.values<std::uint8_t>().data(), picture, options);
    break;
  default:
    return fail(errc::invalid_argument, "expected float32, float16 or uint8 for an image, got {}",
                to_string(values.type()));
  }
  return picture;
}

} // namespace shoal
