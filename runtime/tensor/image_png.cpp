#include "runtime/base/fail.hpp"
#include "runtime/tensor/image_codecs.hpp"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>

// libpng reports errors by longjmp. Functions that call setjmp here own nothing and have only
// parameters and trivial locals: whatever has a destructor lives in their callers.

namespace shoal {
namespace {

// Deflate makes at most 1032 bytes of one: a picture that needs more is cut short or a bomb.
constexpr std::uint64_t max_inflation = 1032;

struct png_reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  byte_span rest;
  char message[128] = "";

  png_reader() = default;
  png_reader(const png_reader&) = delete;
  png_reader& operator=(const png_reader&) = delete;
  ~png_reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct png_size {
  png_uint_32 width = 0;
  png_uint_32 height = 0;
  int channels = 0;
  std::size_t stored_row_bytes = 0; ///< of a row as it was before compression
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* reader = static_cast<png_reader*>(png_get_error_ptr(png));
  std::snprintf(reader->message, sizeof reader->message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {} // about chunks that do not change the pixels

void on_read(png_structp png, png_bytep into, std::size_t size) {
  auto* reader = static_cast<png_reader*>(png_get_io_ptr(png));
  if (size > reader->rest.size()) png_error(png, "the file ends too early");
  std::memcpy(into, reader->rest.data(), size);
  reader->rest = reader->rest.subspan(size);
}

/// Reads up to the pixels and asks for 8 bits per channel and 1, 3 or 4 channels.
bool read_header(png_reader& reader, png_size& size) {
  png_structp png = reader.png;
  png_infop info = reader.info;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &reader, on_read);
  png_set_user_limits(png, 0x7fffffff, 0x7fffffff);
  png_set_chunk_malloc_max(png, 8 << 20);
  png_read_info(png, info);
  size.width = png_get_image_width(png, info);
  size.height = png_get_image_height(png, info);
  size.stored_row_bytes = png_get_rowbytes(png, info);
  const int type = png_get_color_type(png, info);
  png_set_scale_16(png);
  png_set_expand(png); // palettes, fewer than 8 bits, transparency
  if (type == PNG_COLOR_TYPE_GRAY_ALPHA ||
      (type == PNG_COLOR_TYPE_GRAY && png_get_valid(png, info, PNG_INFO_tRNS) != 0))
    png_set_gray_to_rgb(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  size.channels = png_get_channels(png, info);
  return true;
}

bool read_pixels(png_reader& reader, std::uint8_t* pixels, std::size_t row_bytes, int height) {
  png_structp png = reader.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  // Called once already: now it only tells the number of passes.
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass)
    for (int y = 0; y < height; ++y)
      png_read_row(png, pixels + static_cast<std::size_t>(y) * row_bytes, nullptr);
  png_read_end(png, nullptr);
  return true;
}

} // namespace

result<image> decode_png(byte_span bytes, std::uint64_t max_pixels) {
  png_reader reader;
  reader.rest = bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) return fail(errc::resource_exhausted, "no memory to decode a PNG");
  png_size size;
  if (!read_header(reader, size)) return fail(errc::malformed, "PNG: {}", reader.message);
  if (std::uint64_t{size.width} * size.height > max_pixels)
    return fail(errc::resource_exhausted, "PNG of {} x {} pixels, more than the {} allowed",
                size.width, size.height, max_pixels);
  if (size.height * std::uint64_t{size.stored_row_bytes} / max_inflation > bytes.size())
    return fail(errc::malformed, "PNG: {} x {} pixels cannot come from {} bytes", size.width,
                size.height, bytes.size());
  SHOAL_TRY(auto picture, make_image(static_cast<int>(size.width), static_cast<int>(size.height),
                                     size.channels, max_pixels));
  const auto row_bytes =
      static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
  if (!read_pixels(reader, picture.pixels.data(), row_bytes, picture.height))
    return fail(errc::malformed, "PNG: {}", reader.message);
  return picture;
}

result<std::vector<std::byte>> encode_png(const image& picture) {
  SHOAL_CHECK(check_image(picture));
  png_image description{};
  description.version = PNG_IMAGE_VERSION;
  description.width = static_cast<png_uint_32>(picture.width);
  description.height = static_cast<png_uint_32>(picture.height);
  description.format = picture.channels == 1   ? PNG_FORMAT_GRAY
                       : picture.channels == 3 ? PNG_FORMAT_RGB
                                               : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(description);
  std::vector<std::byte> bytes;
  try {
    bytes.resize(size);
  } catch (const std::bad_alloc&) {
    return fail(errc::resource_exhausted, "no memory for a PNG of {} x {} pixels", picture.width,
                picture.height);
  }
  if (png_image_write_to_memory(&description, bytes.data(), &size, 0, picture.pixels.data(), 0,
                                nullptr) == 0)
    return fail(errc::resource_exhausted, "cannot encode a PNG of {} x {} pixels: {}",
                picture.width, picture.height, description.message);
  bytes.resize(size);
  return bytes;
}

} // namespace shoal
