#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace shoal {

/// A picture: rows from the top, pixels from the left, channels interleaved, 8 bits each.
struct image {
  int width = 0;
  int height = 0;
  int channels = 0; ///< 1: gray, 3: red, green, blue, 4: the same and alpha (not premultiplied)
  std::vector<std::uint8_t> pixels;

  friend bool operator==(const image&, const image&) = default;
};

/// Larger pictures are refused before memory is taken for them.
inline constexpr std::uint64_t default_max_pixels = std::uint64_t{1} << 28;

/// An image of zeros. `invalid_argument` for a size or a number of channels that no image has,
/// `resource_exhausted` beyond `max_pixels` or memory.
result<image> make_image(int width, int height, int channels,
                         std::uint64_t max_pixels = default_max_pixels);

/// `invalid_argument` unless the size, the channels and the number of bytes agree.
result<void> check_image(const image& picture);

/// Decodes a PNG or a JPEG, told apart by content. PNG: every colour type and depth, interlaced or
/// not; 16 bits are rounded to 8, gray with transparency becomes red, green, blue, alpha. JPEG:
/// gray and colour; CMYK is `unsupported`. Numbers are taken as stored: gamma, colour profiles and
/// EXIF orientation are not applied. Anything broken or cut short is `malformed`.
result<image> decode_image(byte_span bytes, std::uint64_t max_pixels = default_max_pixels);
result<image> read_image(const std::filesystem::path& path,
                         std::uint64_t max_pixels = default_max_pixels);

result<std::vector<std::byte>> encode_png(const image& picture);
/// Quality 1 to 100. JPEG has no alpha: 4 channels are `unsupported`.
result<std::vector<std::byte>> encode_jpeg(const image& picture, int quality = 90);
/// PNG or JPEG by the extension of `path`: .png, .jpg or .jpeg.
result<void> write_image(const std::filesystem::path& path, const image& picture);

} // namespace shoal
