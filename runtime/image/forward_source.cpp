#include "runtime/image/forward_source.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cstring>
#include <deque>
#include <new>

namespace shoal {
namespace {

class forward_source final : public image_source {
 public:
  forward_source(std::unique_ptr<image_rows> rows, std::string_view format, std::uint64_t max_bytes)
      : rows_(std::move(rows)), format_(format), max_bytes_(max_bytes) {
    describe({rows_->width(), rows_->height(), rows_->channels()});
  }

  bool random_access() const override { return false; }

  void forget_before(int y) override {
    for (first_ = std::clamp(y, first_, height()); !band_.empty() && band_first_ < first_;
         ++band_first_) {
      spare_ = std::move(band_.front());
      band_.pop_front();
    }
    if (first_ == height()) whole_ = {};
  }

  /// Whether the limit allows to decode anything at all.
  result<void> check_working_memory() const {
    const auto whole = rows_->row_bytes() * static_cast<std::uint64_t>(height());
    const auto needed = rows_->working_bytes() + (rows_->all_at_once() ? whole : 0);
    if (needed <= max_bytes_) return {};
    const std::string_view why = rows_->all_at_once()  ? " (interlaced: all rows at once)"
                                 : rows_->held_whole() ? " (progressive: all of it at once)"
                                                       : "";
    return fail(errc::resource_exhausted,
                "decoding a {} of {} x {} pixels takes {} bytes{}, more than the {} allowed",
                format_, width(), height(), needed, why, max_bytes_);
  }

 private:
  result<void> fill(const image_window& window, image& picture) override {
    if (window.y < first_)
      return fail(errc::invalid_argument,
                  "row {} of a {} was dropped: expected rows from {} on, got {}", window.y, format_,
                  first_, to_string(window));
    try {
      SHOAL_CHECK(decode_until(static_cast<int>(window.bottom())));
    } catch (const std::bad_alloc&) {
      return fail(errc::resource_exhausted, "no memory for rows {} to {} of a {}", first_,
                  window.bottom() - 1, format_);
    }
    const auto pixel = static_cast<std::size_t>(channels());
    const auto bytes = static_cast<std::size_t>(window.width) * pixel;
    for (int y = 0; y < window.height; ++y)
      std::memcpy(picture.pixels.data() + static_cast<std::size_t>(y) * bytes,
                  row(window.y + y) + static_cast<std::size_t>(window.x) * pixel, bytes);
    return {};
  }

  const std::uint8_t* row(int y) const {
    if (rows_->all_at_once()) return whole_.data() + static_cast<std::size_t>(y) * row_bytes();
    return band_[static_cast<std::size_t>(y - band_first_)].data();
  }

  std::size_t row_bytes() const { return static_cast<std::size_t>(rows_->row_bytes()); }

  /// Makes the rows from `first_` to `end` - 1 be there.
  result<void> decode_until(int end) {
    if (rows_->all_at_once()) {
      if (!whole_.empty()) return {};
      whole_.resize(row_bytes() * static_cast<std::size_t>(height()));
      auto decoded = rows_->read(whole_.data(), height());
      if (!decoded) whole_ = {};
      return decoded;
    }
    const auto rows = static_cast<std::uint64_t>(std::max(end, decoded_) - first_);
    const auto held = rows_->working_bytes() + rows * row_bytes();
    if (held > max_bytes_)
      return fail(errc::resource_exhausted,
                  "rows {} to {} of a {} of {} x {} pixels take {} bytes, more than the {} allowed",
                  first_, end - 1, format_, width(), height(), held, max_bytes_);
    for (; decoded_ < end; ++decoded_) {
      auto pixels = std::move(spare_);
      pixels.resize(row_bytes());
      if (decoded_ < first_) {
        SHOAL_CHECK(rows_->read(pixels.data(), 1));
        spare_ = std::move(pixels);
        band_first_ = decoded_ + 1;
        continue;
      }
      band_.push_back(std::move(pixels)); // before the decoder goes on: this may find no memory
      if (auto decoded = rows_->read(band_.back().data(), 1); !decoded) {
        band_.pop_back();
        return decoded;
      }
    }
    return {};
  }

  std::unique_ptr<image_rows> rows_;
  std::string format_;
  std::uint64_t max_bytes_;
  int first_ = 0;   ///< the first row that may be asked for
  int decoded_ = 0; ///< rows that the decoder has given
  /// Rows from `band_first_` to `decoded_` - 1: by themselves, as each is dropped by itself.
  std::deque<std::vector<std::uint8_t>> band_;
  int band_first_ = 0;
  std::vector<std::uint8_t> spare_; ///< memory for the next row
  std::vector<std::uint8_t> whole_; ///< all rows, of a picture that comes all at once
};

} // namespace

result<std::unique_ptr<image_source>> open_forward_source(result<std::unique_ptr<image_rows>> rows,
                                                          std::string_view format,
                                                          const image_source_limits& limits) {
  if (!rows) return std::move(rows).error();
  auto source = std::make_unique<forward_source>(*std::move(rows), format, limits.max_bytes);
  SHOAL_CHECK(source->check_working_memory());
  return std::unique_ptr<image_source>(std::move(source));
}

} // namespace shoal
