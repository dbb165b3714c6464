#include "runtime/image/tiff_samples.hpp"

#include <algorithm>
#include <cstring>

namespace shoal {
namespace {

void convert_channel(const tiff_layout& layout, const std::byte* from, std::size_t step,
                     std::uint8_t* to, std::size_t channels, std::size_t count) {
  if (layout.bytes_per_sample == 1) {
    for (std::size_t i = 0; i < count; ++i)
      to[i * channels] = static_cast<std::uint8_t>(from[i * step]);
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t value = 0;
    std::memcpy(&value, from + i * step, sizeof value);
    to[i * channels] = static_cast<std::uint8_t>((value + 128u) / 257u);
  }
}

} // namespace

void convert_tiff_samples(const tiff_layout& layout, std::uint32_t plane, byte_span stored,
                          std::uint8_t* pixels, std::size_t count) {
  const auto channels = static_cast<std::size_t>(layout.extent.channels);
  const std::size_t step = layout.samples_in_block_pixel() * layout.bytes_per_sample;
  for (int c = 0; c < layout.extent.channels; ++c) {
    const auto sample = layout.sample_of(c);
    if (layout.planar && sample != plane) continue;
    const std::size_t first = layout.planar ? 0 : sample * layout.bytes_per_sample;
    convert_channel(layout, stored.data() + first, step, pixels + c, channels, count);
  }
}

void finish_tiff_pixels(const tiff_layout& layout, std::uint8_t* pixels, std::size_t count) {
  const auto channels = static_cast<std::size_t>(layout.extent.channels);
  const std::size_t colours = channels == 1 ? 1 : 3;
  if (layout.white_is_zero)
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t c = 0; c < colours; ++c)
        pixels[i * channels + c] = static_cast<std::uint8_t>(255 - pixels[i * channels + c]);
  if (layout.alpha != tiff_layout::alpha_kind::premultiplied) return;
  for (auto* pixel = pixels; pixel != pixels + count * 4; pixel += 4) {
    const unsigned alpha = pixel[3];
    if (alpha == 0 || alpha == 255) continue;
    for (int c = 0; c < 3; ++c)
      pixel[c] = static_cast<std::uint8_t>(std::min(255u, (pixel[c] * 255u + alpha / 2) / alpha));
  }
}

} // namespace shoal
