#include "kernels/cpu/quantized_pooling.hpp"

#include "kernels/cpu/simd.hpp"
#include "kernels/reference/quantize.hpp"

#include <algorithm>

namespace shoal::kernels {
namespace {

template <class T>
SHOAL_INLINE void add_pixels(const T* x, std::int64_t pixels, std::int64_t channels,
                             std::int32_t* sums) {
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c) sums[c] += x[p * channels + c];
}

SHOAL_MULTIVERSION void sum_pixels(const std::uint8_t* x, std::int64_t pixels,
                                   std::int64_t channels, std::int32_t* sums) {
  add_pixels(x, pixels, channels, sums);
}
SHOAL_MULTIVERSION void sum_pixels(const std::int8_t* x, std::int64_t pixels, std::int64_t channels,
                                   std::int32_t* sums) {
  add_pixels(x, pixels, channels, sums);
}

SHOAL_MULTIVERSION std::int32_t sum_of(const std::uint8_t* x, std::int64_t n) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}
SHOAL_MULTIVERSION std::int32_t sum_of(const std::int8_t* x, std::int64_t n) {
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

template <class T>
void means_of(const const_view& x, std::int32_t x_zero, double ratio, std::int32_t y_zero,
              std::int32_t* sums, const view& y) {
  const auto channels = x.dims[1], pixels = x.dims.element_count(2, x.dims.rank());
  for (std::int64_t n = 0; n < x.dims[0]; ++n) {
    const auto* image = x.as<T>() + n * channels * pixels;
    std::fill_n(sums, channels, 0);
    if (x.format == layout::channels_last)
      sum_pixels(image, pixels, channels, sums);
    else
      for (std::int64_t c = 0; c < channels; ++c) sums[c] = sum_of(image + c * pixels, pixels);
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto steps = sums[c] - std::int64_t{x_zero} * pixels;
      const double mean = static_cast<double>(steps) / static_cast<double>(pixels);
      y.as<T>()[n * channels + c] =
          static_cast<T>(reference::quantized(y.type, static_cast<float>(mean * ratio), y_zero));
    }
  }
}

} // namespace

void quantized_means(const const_view& x, std::int32_t x_zero, double ratio, std::int32_t y_zero,
                     std::int32_t* sums, const view& y) {
  if (x.type == dtype::u8)
    means_of<std::uint8_t>(x, x_zero, ratio, y_zero, sums, y);
  else
    means_of<std::int8_t>(x, x_zero, ratio, y_zero, sums, y);
}

} // namespace shoal::kernels
