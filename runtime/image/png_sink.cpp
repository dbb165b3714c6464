#include "runtime/image/png_sink.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/image/output_file.hpp"

#include <png.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <deque>
#include <new>
#include <optional>
#include <system_error>

// libpng reports errors by longjmp. Functions that call setjmp here own nothing and have only
// parameters and trivial locals, and so have those that libpng calls: whatever has a destructor
// lives in their callers or in functions of its own.

namespace shoal {
namespace {

struct png_writer {
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::optional<output_file> file;
  std::uint64_t position = 0;
  std::optional<error> failure; ///< of the file
  char message[128] = "";

  png_writer() = default;
  png_writer(const png_writer&) = delete;
  png_writer& operator=(const png_writer&) = delete;
  ~png_writer() { png_destroy_write_struct(&png, &info); }
};

[[noreturn]] void on_error(png_structp png, png_const_charp text) {
  auto* writer = static_cast<png_writer*>(png_get_error_ptr(png));
  std::snprintf(writer->message, sizeof writer->message, "%s", text);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

bool append(png_writer& writer, const std::byte* data, std::size_t size) {
  auto written = writer.file->write_at(writer.position, {data, size});
  if (!written) writer.failure = std::move(written).error();
  writer.position += size;
  return !writer.failure;
}

void on_write(png_structp png, png_bytep data, std::size_t size) {
  auto* writer = static_cast<png_writer*>(png_get_io_ptr(png));
  if (!append(*writer, reinterpret_cast<const std::byte*>(data), size))
    png_error(png, "the file cannot be written");
}

void on_flush(png_structp) {}

bool write_header(png_writer& writer, const image_extent& extent) {
  png_structp png = writer.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_write_fn(png, &writer, on_write, on_flush);
  const int colours = extent.channels == 1   ? PNG_COLOR_TYPE_GRAY
                      : extent.channels == 3 ? PNG_COLOR_TYPE_RGB
                                             : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_IHDR(png, writer.info, static_cast<png_uint_32>(extent.width),
               static_cast<png_uint_32>(extent.height), 8, colours, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, writer.info);
  return true;
}

bool write_row(png_writer& writer, const std::uint8_t* row) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  png_write_row(writer.png, row);
  return true;
}

bool write_end(png_writer& writer) {
  if (setjmp(png_jmpbuf(writer.png)) != 0) return false;
  png_write_end(writer.png, writer.info);
  return true;
}

class png_sink final : public image_sink {
 public:
  png_sink(const std::filesystem::path& path, const image_extent& extent, std::uint64_t max_bytes)
      : image_sink(extent), path_(path), unfinished_(path), max_bytes_(max_bytes) {
    unfinished_ += fmt::format(".{}{}", to_string(incarnation::random()), unfinished_suffix);
  }

  ~png_sink() override {
    if (finished()) return;
    std::error_code ignored;
    std::filesystem::remove(unfinished_, ignored);
  }

  result<void> open() {
    SHOAL_TRY(writer_.file, output_file::open(unfinished_, output_file::content::empty));
    writer_.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer_, on_error, on_warning);
    if (writer_.png != nullptr) writer_.info = png_create_info_struct(writer_.png);
    if (writer_.info == nullptr) return fail(errc::resource_exhausted, "no memory to write a PNG");
    if (!write_header(writer_, extent())) return failure();
    return {};
  }

 private:
  struct waiting_row {
    std::vector<std::uint8_t> pixels;
    int filled = 0;
  };

  result<void> store(const image_window& window, const image& pixels) override {
    if (failure_) return *failure_;
    SHOAL_CHECK(make_rows(window.bottom()));
    const auto channels = static_cast<std::size_t>(extent().channels);
    const auto bytes = static_cast<std::size_t>(window.width) * channels;
    for (int y = 0; y < window.height; ++y) {
      auto& row = rows_[static_cast<std::size_t>(window.y + y - first_)];
      std::memcpy(row.pixels.data() + static_cast<std::size_t>(window.x) * channels,
                  pixels.pixels.data() + static_cast<std::size_t>(y) * bytes, bytes);
      row.filled += window.width;
    }
    for (; !rows_.empty() && rows_.front().filled == extent().width; ++first_) {
      if (!write_row(writer_, rows_.front().pixels.data())) return failure();
      rows_.pop_front();
    }
    return {};
  }

  /// Makes the rows from `first_` to `end` - 1 be there.
  result<void> make_rows(std::int64_t end) {
    const auto row =
        static_cast<std::uint64_t>(extent().width) * static_cast<std::uint64_t>(extent().channels);
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(end - first_, 0));
    if (count * row > max_bytes_)
      return fail(errc::resource_exhausted,
                  "rows {} to {} of a PNG would wait for row {}, {} bytes, more than the {} "
                  "allowed: expected windows in bands from top to bottom",
                  first_, end - 1, first_, count * row, max_bytes_);
    try {
      while (rows_.size() < count)
        rows_.push_back({std::vector<std::uint8_t>(static_cast<std::size_t>(row)), 0});
    } catch (const std::bad_alloc&) {
      return fail(errc::resource_exhausted, "no memory for rows {} to {} of a PNG", first_,
                  end - 1);
    }
    return {};
  }

  result<void> complete() override {
    if (failure_) return *failure_;
    if (!write_end(writer_)) return failure();
    SHOAL_CHECK(writer_.file->close());
    if (std::rename(unfinished_.c_str(), path_.c_str()) != 0)
      return system_error(errno, "rename", unfinished_);
    return {};
  }

  /// Also that of every later call: libpng is not asked again.
  error failure() {
    failure_ = writer_.failure ? *writer_.failure
                               : fail(errc::resource_exhausted, "cannot write {}: {}",
                                      path_.string(), writer_.message);
    return *failure_;
  }

  std::filesystem::path path_;
  std::filesystem::path unfinished_;
  std::uint64_t max_bytes_;
  png_writer writer_;
  std::deque<waiting_row> rows_; ///< from `first_` on; those before are written
  int first_ = 0;
  std::optional<error> failure_;
};

} // namespace

result<std::unique_ptr<image_sink>> create_png_sink(const std::filesystem::path& path,
                                                    const image_extent& extent,
                                                    const image_sink_options& options) {
  if (extent.width > PNG_USER_WIDTH_MAX || extent.height > PNG_USER_HEIGHT_MAX)
    return fail(errc::unsupported,
                "{}: a PNG of {} x {} pixels: expected at most {} x {}; a TIFF may be larger",
                path.string(), extent.width, extent.height, PNG_USER_WIDTH_MAX,
                PNG_USER_HEIGHT_MAX);
  auto sink = std::make_unique<png_sink>(path, extent, options.max_band_bytes);
  SHOAL_CHECK(sink->open());
  return std::unique_ptr<image_sink>(std::move(sink));
}

} // namespace shoal
