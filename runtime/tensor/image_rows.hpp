#pragma once

#include "runtime/base/result.hpp"
#include "runtime/tensor/byte_feed.hpp"

#include <cstdint>
#include <memory>
#include <optional>

namespace shoal {

/// A PNG or JPEG that is decoded row by row, from the top, once. What opens has a sound header and
/// has taken memory for nothing else: the caller compares the size with its limits before it reads.
/// Pixels are as `decode_image` makes them.
class image_rows {
 public:
  image_rows() = default;
  image_rows(const image_rows&) = delete;
  image_rows& operator=(const image_rows&) = delete;
  virtual ~image_rows() = default;

  int width() const { return traits_.width; }
  int height() const { return traits_.height; }
  int channels() const { return traits_.channels; }
  std::uint64_t row_bytes() const {
    return static_cast<std::uint64_t>(traits_.width) * static_cast<std::uint64_t>(traits_.channels);
  }
  /// Rows come only all in one call: an interlaced PNG.
  bool all_at_once() const { return traits_.all_at_once; }
  /// The decoder has to hold the whole picture before it gives a row: a progressive JPEG.
  bool held_whole() const { return traits_.held_whole; }
  /// What the decoder itself will hold, roughly.
  std::uint64_t working_bytes() const { return traits_.working_bytes; }

  /// Decodes the next `count` rows, at most those that are left, to `into`, without gaps. With the
  /// last row also what follows it in the file is checked. After an error every call repeats it.
  result<void> read(std::uint8_t* into, int count);

 protected:
  struct traits {
    int width = 0;
    int height = 0;
    int channels = 0;
    bool all_at_once = false;
    bool held_whole = false;
    std::uint64_t working_bytes = 0;
  };
  void describe(const traits& known) { traits_ = known; }
  /// The first row of the next call of `decode`.
  int next_row() const { return next_row_; }
  virtual result<void> decode(std::uint8_t* into, int count) = 0;

 private:
  traits traits_;
  int next_row_ = 0;
  std::optional<error> failure_;
};

/// `malformed` for what is broken, or claims more pixels than its bytes can hold.
result<std::unique_ptr<image_rows>> open_png_rows(std::unique_ptr<byte_feed> feed);
result<std::unique_ptr<image_rows>> open_jpeg_rows(std::unique_ptr<byte_feed> feed);

} // namespace shoal
