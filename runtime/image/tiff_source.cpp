#include "runtime/image/tiff_source.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/image/block_cache.hpp"
#include "runtime/image/copy_window.hpp"
#include "runtime/image/tiff_file.hpp"
#include "runtime/image/tiff_layout.hpp"
#include "runtime/image/tiff_samples.hpp"

#include <tiffio.h>

#include <algorithm>
#include <new>
#include <vector>

namespace shoal {
namespace {

class tiff_source final : public image_source {
 public:
  tiff_source(std::unique_ptr<tiff_file> file, const tiff_layout& layout, std::uint64_t max_bytes)
      : file_(std::move(file)), layout_(layout), cache_(max_bytes) {
    describe(layout_.extent);
  }

  bool random_access() const override { return true; }

  void forget_before(int y) override {
    cache_.drop_if([&](const image_window& place) { return place.bottom() <= y; });
  }

 private:
  result<void> fill(const image_window& window, image& picture) override {
    try {
      return !layout_.tiled && layout_.plain ? fill_rows(window, picture)
                                             : fill_blocks(window, picture);
    } catch (const std::bad_alloc&) {
      return fail(errc::resource_exhausted, "no memory for {} of a TIFF", to_string(window));
    }
  }

  /// From uncompressed strips, whose rows lie in the file as they are.
  result<void> fill_rows(const image_window& window, image& picture) {
    const auto pixel = layout_.samples_in_block_pixel() * layout_.bytes_per_sample;
    const auto row = static_cast<std::uint64_t>(layout_.extent.width) * pixel;
    std::vector<std::byte> stored(static_cast<std::size_t>(window.width) * pixel);
    const std::uint32_t planes = layout_.planar ? layout_.samples : 1;
    for (int y = 0; y < window.height; ++y) {
      const auto at = static_cast<std::uint32_t>(window.y + y);
      auto* to = picture.pixels.data() + static_cast<std::size_t>(y) *
                                             static_cast<std::size_t>(window.width) *
                                             static_cast<std::size_t>(channels());
      for (std::uint32_t plane = 0; plane < planes; ++plane) {
        if (layout_.planar && !takes_plane(plane)) continue;
        SHOAL_TRY(const auto strip, strip_offset(at, plane));
        const auto inside =
            at % layout_.block_height * row + static_cast<std::uint64_t>(window.x) * pixel;
        if (strip > file_->file().size() || inside > file_->file().size() - strip)
          return fail(errc::malformed, "TIFF: row {} lies behind the end of the file", at);
        SHOAL_CHECK(file_->file().read_at(strip + inside, stored));
        if (layout_.bytes_per_sample == 2 && TIFFIsByteSwapped(file_->handle()) != 0)
          TIFFSwabArrayOfShort(reinterpret_cast<std::uint16_t*>(stored.data()),
                               static_cast<tmsize_t>(stored.size() / 2));
        convert_tiff_samples(layout_, plane, stored, to, static_cast<std::size_t>(window.width));
      }
      finish_tiff_pixels(layout_, to, static_cast<std::size_t>(window.width));
    }
    return {};
  }

  result<std::uint64_t> strip_offset(std::uint32_t y, std::uint32_t plane) {
    const auto strip = TIFFComputeStrip(file_->handle(), y, static_cast<std::uint16_t>(plane));
    int failed = 0;
    const auto offset = TIFFGetStrileOffsetWithErr(file_->handle(), strip, &failed);
    if (failed != 0 || offset == 0) return file_->take_error("a strip without an offset");
    return offset;
  }

  result<void> fill_blocks(const image_window& window, image& picture) {
    const auto block_width = static_cast<std::int64_t>(layout_.block_width);
    const auto block_height = static_cast<std::int64_t>(layout_.block_height);
    for (auto y = window.y / block_height * block_height; y < window.bottom(); y += block_height)
      for (auto x = window.x / block_width * block_width; x < window.right(); x += block_width) {
        // What of the block is in the picture; blocks at the edges are stored whole.
        const image_window place{static_cast<int>(x), static_cast<int>(y),
                                 static_cast<int>(std::min(block_width, width() - x)),
                                 static_cast<int>(std::min(block_height, height() - y))};
        SHOAL_TRY(const auto pixels, block(place));
        const int left = std::max(place.x, window.x), top = std::max(place.y, window.y);
        const image_window part{left, top,
                                static_cast<int>(std::min(place.right(), window.right()) - left),
                                static_cast<int>(std::min(place.bottom(), window.bottom()) - top)};
        copy_window({pixels.data(), place}, {picture.pixels.data(), window}, part, channels());
      }
    return {};
  }

  /// The pixels of a block, valid until the next call.
  result<std::span<const std::uint8_t>> block(const image_window& place) {
    if (const auto* known = cache_.find(place)) return std::span(*known);
    const auto decoded =
        static_cast<std::uint64_t>(place.area()) * static_cast<std::uint64_t>(channels());
    const auto needed = layout_.block_bytes() + decoded;
    if (needed > cache_.max_bytes())
      return fail(errc::resource_exhausted,
                  "TIFF: decoding a {} of {} x {} pixels takes {} bytes, more than the {} allowed",
                  layout_.tiled ? "tile" : "strip", layout_.block_width, layout_.block_height,
                  needed, cache_.max_bytes());
    cache_.make_room(needed);
    std::vector<std::uint8_t> pixels(static_cast<std::size_t>(decoded));
    stored_.resize(static_cast<std::size_t>(layout_.block_bytes()));
    const std::uint32_t planes = layout_.planar ? layout_.samples : 1;
    for (std::uint32_t plane = 0; plane < planes; ++plane) {
      if (layout_.planar && !takes_plane(plane)) continue;
      SHOAL_CHECK(decode_block(place, plane));
      const auto stored_row = static_cast<std::size_t>(
          layout_.block_width * layout_.samples_in_block_pixel() * layout_.bytes_per_sample);
      const auto row = static_cast<std::size_t>(place.width) * static_cast<std::size_t>(channels());
      for (std::size_t y = 0; y < static_cast<std::size_t>(place.height); ++y)
        convert_tiff_samples(layout_, plane, byte_span(stored_).subspan(y * stored_row),
                             pixels.data() + y * row, static_cast<std::size_t>(place.width));
    }
    finish_tiff_pixels(layout_, pixels.data(), static_cast<std::size_t>(place.area()));
    return std::span(cache_.keep(place, std::move(pixels)));
  }

  /// Fills `stored_`, in a strip at the bottom only the rows that are there.
  result<void> decode_block(const image_window& place, std::uint32_t plane) {
    TIFF* handle = file_->handle();
    const auto x = static_cast<std::uint32_t>(place.x), y = static_cast<std::uint32_t>(place.y);
    const auto rows =
        layout_.tiled ? layout_.block_height : static_cast<std::uint32_t>(place.height);
    const auto expected =
        static_cast<tmsize_t>(layout_.block_bytes() / layout_.block_height * rows);
    const auto sample = static_cast<std::uint16_t>(plane);
    const auto got = layout_.tiled
                         ? TIFFReadEncodedTile(handle, TIFFComputeTile(handle, x, y, 0, sample),
                                               stored_.data(), expected)
                         : TIFFReadEncodedStrip(handle, TIFFComputeStrip(handle, y, sample),
                                                stored_.data(), expected);
    if (got != expected || file_->complained()) return file_->take_error("a block is cut short");
    return {};
  }

  bool takes_plane(std::uint32_t plane) const {
    for (int c = 0; c < channels(); ++c)
      if (layout_.sample_of(c) == plane) return true;
    return false;
  }

  std::unique_ptr<tiff_file> file_;
  tiff_layout layout_;
  block_cache cache_;
  std::vector<std::byte> stored_; ///< a block as the file has it
};

} // namespace

result<std::unique_ptr<image_source>> open_tiff_source(input_file file,
                                                       const image_source_limits& limits) {
  SHOAL_TRY(auto opened, tiff_file::open(std::move(file), limits.max_bytes));
  SHOAL_TRY(const auto layout, read_tiff_layout(opened->handle()));
  return std::unique_ptr<image_source>(
      std::make_unique<tiff_source>(std::move(opened), layout, limits.max_bytes));
}

} // namespace shoal
