#include "runtime/base/fail.hpp"
#include "runtime/tensor/image_rows.hpp"

#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>

// libpng reports errors by longjmp. Functions that call setjmp here own nothing and have only
// parameters and trivial locals, and so have those that libpng calls: whatever has a destructor
// lives in their callers or in functions of its own.

namespace shoal {
namespace {

// Deflate makes at most 1032 bytes of one: a picture that needs more is cut short or a bomb.
constexpr std::uint64_t max_inflation = 1032;
// libpng's own rows: as stored, the one before, and between two transformations.
constexpr std::uint64_t rows_of_decoder = 4;

struct png_reader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::unique_ptr<byte_feed> feed;
  byte_span rest;               ///< of the feed's last piece
  std::optional<error> failure; ///< of the feed
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
  bool interlaced = false;
  std::size_t stored_row_bytes = 0; ///< of a row as it was before compression
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* reader = static_cast<png_reader*>(png_get_error_ptr(png));
  std::snprintf(reader->message, sizeof reader->message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {} // about chunks that do not change the pixels

/// Whether there are more bytes.
bool refill(png_reader& reader) {
  auto piece = reader.feed->next();
  if (!piece) {
    reader.failure = std::move(piece).error();
    return false;
  }
  reader.rest = *piece;
  return !reader.rest.empty();
}

void on_read(png_structp png, png_bytep into, std::size_t size) {
  auto* reader = static_cast<png_reader*>(png_get_io_ptr(png));
  while (size > 0) {
    if (reader->rest.empty() && !refill(*reader)) png_error(png, "the file ends too early");
    const std::size_t part = std::min(size, reader->rest.size());
    std::memcpy(into, reader->rest.data(), part);
    reader->rest = reader->rest.subspan(part);
    into += part;
    size -= part;
  }
}

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
  size.interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
  const int type = png_get_color_type(png, info);
  const bool transparent = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  const bool alpha = (type & PNG_COLOR_MASK_ALPHA) != 0 || transparent;
  size.channels = alpha ? 4 : type == PNG_COLOR_TYPE_GRAY ? 1 : 3;
  png_set_scale_16(png);
  png_set_expand(png); // palettes, fewer than 8 bits, transparency
  if (alpha && (type & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  return true;
}

/// Takes libpng's memory for rows and pixels; what comes out has to be as announced.
bool start_rows(png_reader& reader, std::size_t row_bytes) {
  png_structp png = reader.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_interlace_handling(png);
  png_read_update_info(png, reader.info);
  if (png_get_rowbytes(png, reader.info) != row_bytes) png_error(png, "rows of another size");
  return true;
}

bool read_rows(png_reader& reader, std::uint8_t* pixels, std::size_t row_bytes, int count,
               bool last) {
  png_structp png = reader.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  // Called once already: now it only tells the number of passes.
  const int passes = png_set_interlace_handling(png);
  for (int pass = 0; pass < passes; ++pass)
    for (int y = 0; y < count; ++y)
      png_read_row(png, pixels + static_cast<std::size_t>(y) * row_bytes, nullptr);
  if (last) png_read_end(png, nullptr);
  return true;
}

class png_rows final : public image_rows {
 public:
  result<void> open(std::unique_ptr<byte_feed> feed) {
    reader_.feed = std::move(feed);
    reader_.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader_, on_error, on_warning);
    if (reader_.png != nullptr) reader_.info = png_create_info_struct(reader_.png);
    if (reader_.info == nullptr) return fail(errc::resource_exhausted, "no memory to decode a PNG");
    png_size size;
    if (!read_header(reader_, size)) return failure();
    if (size.height * std::uint64_t{size.stored_row_bytes} / max_inflation > reader_.feed->size())
      return fail(errc::malformed, "PNG: {} x {} pixels cannot come from {} bytes", size.width,
                  size.height, reader_.feed->size());
    const auto row = std::uint64_t{size.width} * static_cast<std::uint64_t>(size.channels);
    describe({static_cast<int>(size.width), static_cast<int>(size.height), size.channels,
              size.interlaced, false,
              rows_of_decoder * std::max<std::uint64_t>(row, size.stored_row_bytes)});
    return {};
  }

 private:
  result<void> decode(std::uint8_t* into, int count) override {
    const auto row = static_cast<std::size_t>(row_bytes());
    if (next_row() == 0 && !start_rows(reader_, row)) return failure();
    if (!read_rows(reader_, into, row, count, next_row() + count == height())) return failure();
    return {};
  }

  error failure() const {
    if (reader_.failure) return *reader_.failure;
    return fail(errc::malformed, "PNG: {}", reader_.message);
  }

  png_reader reader_;
};

} // namespace

result<std::unique_ptr<image_rows>> open_png_rows(std::unique_ptr<byte_feed> feed) {
  auto rows = std::make_unique<png_rows>();
  SHOAL_CHECK(rows->open(std::move(feed)));
  return std::unique_ptr<image_rows>(std::move(rows));
}

} // namespace shoal
