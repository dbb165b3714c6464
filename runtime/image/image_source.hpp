#pragma once

#include "runtime/image/image_window.hpp"
#include "runtime/tensor/image.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>

namespace shoal {

/// A picture that is read by windows, so that it may be larger than memory. One thread at a time.
class image_source {
 public:
  image_source() = default;
  image_source(const image_source&) = delete;
  image_source& operator=(const image_source&) = delete;
  virtual ~image_source() = default;

  const image_extent& extent() const { return extent_; }
  int width() const { return extent_.width; }
  int height() const { return extent_.height; }
  int channels() const { return extent_.channels; }

  /// Whether any window may be read at any time. If not, rows come from the top, once: what
  /// windows asked for may be asked for again until `forget_before` drops it.
  virtual bool random_access() const = 0;

  /// The pixels of a window. `invalid_argument` for one outside of the picture, or with rows that
  /// were dropped; `resource_exhausted` for what would not fit into the limits; `malformed`,
  /// `unsupported` or `io` for what the file turns out to be.
  result<image> read(const image_window& window);

  /// Nobody will ask for rows above `y` again. Without random access it is what bounds memory, and
  /// asking for them is an error from then on; elsewhere it only frees memory.
  virtual void forget_before(int y) { (void)y; }

 protected:
  void describe(const image_extent& extent) { extent_ = extent; }
  /// `window` is inside; `picture` has its size.
  virtual result<void> fill(const image_window& window, image& picture) = 0;

 private:
  image_extent extent_;
};

struct image_source_limits {
  /// What a source may hold besides the windows that it has returned: the rows that may still be
  /// asked for, blocks of a file that are decoded, the working memory of a decoder. An interlaced
  /// PNG and a progressive JPEG have to be held whole.
  std::uint64_t max_bytes = std::uint64_t{256} << 20;
};

/// A TIFF (classic or BigTIFF; random access), a PNG or a JPEG (rows from the top), told apart by
/// content. Numbers are taken as stored: gamma, colour profiles and orientation are not applied.
///
/// TIFF: the first picture of the file; tiles or strips, samples together or in planes; gray, or
/// red, green, blue, or JPEG's YCbCr; 8 bits, or 16 which are rounded to 8; uncompressed, LZW,
/// Deflate, PackBits, Zstandard, LZMA or JPEG. Alpha is told from other extra samples by the file;
/// if premultiplied, colours are divided by it; other extra samples are dropped; gray with alpha
/// becomes red, green, blue, alpha. PNG and JPEG: as `decode_image`.
///
/// `malformed` for what is broken, cut short or none of these; `unsupported` for what it names;
/// `resource_exhausted` beyond the limits.
result<std::unique_ptr<image_source>> open_image_source(const std::filesystem::path& path,
                                                        const image_source_limits& limits = {});

/// The windows of a picture in memory.
result<std::unique_ptr<image_source>> make_memory_source(image picture);

} // namespace shoal
