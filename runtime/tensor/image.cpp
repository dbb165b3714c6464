#include "runtime/tensor/image.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/tensor/image_rows.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace shoal {
namespace {

constexpr std::uint64_t max_file_bytes = std::uint64_t{1} << 30;

} // namespace

result<image> make_image(int width, int height, int channels, std::uint64_t max_pixels) {
  if (width < 1 || height < 1 || (channels != 1 && channels != 3 && channels != 4))
    return fail(errc::invalid_argument,
                "an image of {} x {} pixels and {} channels: expected at least 1 x 1 and 1, 3 or 4",
                width, height, channels);
  const auto pixels = static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height);
  if (pixels > max_pixels)
    return fail(errc::resource_exhausted, "an image of {} x {} pixels, more than the {} allowed",
                width, height, max_pixels);
  image picture{width, height, channels, {}};
  try {
    picture.pixels.resize(pixels * static_cast<std::uint64_t>(channels));
  } catch (const std::bad_alloc&) {
    return fail(errc::resource_exhausted, "no memory for an image of {} x {} pixels", width,
                height);
  }
  return picture;
}

result<void> check_image(const image& picture) {
  const auto& [width, height, channels, pixels] = picture;
  if (width < 1 || height < 1 || (channels != 1 && channels != 3 && channels != 4) ||
      pixels.size() != static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height) *
                           static_cast<std::uint64_t>(channels))
    return fail(errc::invalid_argument, "no image: {} x {} pixels, {} channels, {} bytes", width,
                height, channels, pixels.size());
  return {};
}

result<image> decode_image(byte_span bytes, std::uint64_t max_pixels) {
  const auto text = text_of(bytes);
  const bool png = text.starts_with("\x89PNG\r\n\x1a\n");
  if (!png && !text.starts_with("\xff\xd8\xff"))
    return fail(errc::malformed, "neither a PNG nor a JPEG: {} bytes that start otherwise",
                bytes.size());
  auto feed = std::make_unique<memory_feed>(bytes);
  SHOAL_TRY(const auto rows,
            png ? open_png_rows(std::move(feed)) : open_jpeg_rows(std::move(feed)));
  SHOAL_TRY(auto picture, make_image(rows->width(), rows->height(), rows->channels(), max_pixels));
  SHOAL_CHECK(rows->read(picture.pixels.data(), picture.height));
  return picture;
}

result<image> read_image(const std::filesystem::path& path, std::uint64_t max_pixels) {
  SHOAL_TRY(const auto bytes, read_file(path, max_file_bytes));
  auto picture = decode_image(bytes_of(bytes), max_pixels);
  if (!picture) return std::move(picture).error().within(path.string());
  return picture;
}

result<void> write_image(const std::filesystem::path& path, const image& picture) {
  std::string kind = path.extension().string();
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool jpeg = kind == ".jpg" || kind == ".jpeg";
  if (!jpeg && kind != ".png")
    return fail(errc::invalid_argument, "{}: expected the extension .png, .jpg or .jpeg",
                path.string());
  SHOAL_TRY(const auto bytes, jpeg ? encode_jpeg(picture) : encode_png(picture));
  return replace_file(path, std::array{byte_span(bytes)});
}

} // namespace shoal
