#pragma once

#include "runtime/image/image_window.hpp"
#include "runtime/image/window_cover.hpp"
#include "runtime/tensor/image.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace shoal {

/// A picture that is written by windows, so that it may be larger than memory. The windows cover it
/// exactly once, in bands of rows from top to bottom; inside of a band in any order. One thread at
/// a time. Destroyed before `finish` has succeeded, the picture is not complete: a TIFF with a key
/// keeps what it has for the next time, everything else leaves nothing behind.
class image_sink {
 public:
  image_sink(const image_sink&) = delete;
  image_sink& operator=(const image_sink&) = delete;
  virtual ~image_sink() = default;

  const image_extent& extent() const { return extent_; }

  /// The windows that an earlier, unfinished run with the same key has written: they are not to be
  /// written again.
  std::span<const image_window> done() const { return done_; }
  /// Why an earlier run could not be resumed, though one was found: `stale` for another key,
  /// another size or a picture that was changed, `malformed` for a journal that is none.
  const std::optional<error>& started_over() const { return started_over_; }

  /// `invalid_argument` for pixels of another size than the window, and for a window outside of the
  /// picture or over another one; `resource_exhausted` where the disk or the limit on rows that
  /// wait for their band to be complete is.
  result<void> write(const image_window& window, const image& pixels);

  /// Makes sure that what is written so far would be found after a crash; where that is possible.
  virtual result<void> checkpoint() { return {}; }

  /// Completes the file; `invalid_argument` while a part of the picture is missing.
  result<void> finish();

 protected:
  explicit image_sink(const image_extent& extent)
      : extent_(extent), cover_(extent.width, extent.height) {}

  /// Windows inside of the picture that do not overlap.
  void resume(std::vector<image_window> done);
  bool finished() const { return finished_; }
  void start_over(error why) { started_over_ = std::move(why); }

  /// `window` is inside, was not written before, and `pixels` has its size.
  virtual result<void> store(const image_window& window, const image& pixels) = 0;
  /// Everything was stored. Once, unless it fails.
  virtual result<void> complete() = 0;

 private:
  image_extent extent_;
  window_cover cover_;
  std::vector<image_window> done_;
  std::optional<error> started_over_;
  bool finished_ = false;
};

struct image_sink_options {
  /// What the picture is computed from and how, in the caller's words: one line of printable
  /// characters, at most 4096. If not empty, a TIFF that is not finished is resumed when it is
  /// created again with the same key.
  std::string key = {};
  /// A TIFF with a key makes sure of what is written whenever so many bytes have come together. 0:
  /// after every window.
  std::uint64_t checkpoint_bytes = std::uint64_t{64} << 20;
  /// What may wait in memory for a band of rows to be complete: PNG.
  std::uint64_t max_band_bytes = std::uint64_t{256} << 20;
};

/// A TIFF or a PNG by the extension of `path`: .tif, .tiff or .png; in its place from now on, for a
/// PNG from `finish` on.
result<std::unique_ptr<image_sink>> create_image_sink(const std::filesystem::path& path,
                                                      const image_extent& extent,
                                                      const image_sink_options& options = {});

/// A picture in memory.
class memory_sink final : public image_sink {
 public:
  static result<std::unique_ptr<memory_sink>> create(const image_extent& extent);
  /// The whole picture, after `finish`.
  image take() { return std::move(picture_); }

 private:
  memory_sink(const image_extent& extent, image picture)
      : image_sink(extent), picture_(std::move(picture)) {}
  result<void> store(const image_window& window, const image& pixels) override;
  result<void> complete() override { return {}; }

  image picture_;
};

} // namespace shoal
