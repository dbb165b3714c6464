#include "runtime/tile/tile_spans.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>

namespace shoal {
namespace {

/// Yields of crops of one length, each worked out once: far from the ends of the image they differ
/// by their place only.
class yields {
 public:
  yields(const crop_geometry& axis, std::size_t outputs, std::int64_t length)
      : axis_(axis), outputs_(outputs), length_(length),
        margin_((axis.reach() / axis.alignment() + 2) * axis.alignment()) {}

  result<std::vector<crop_yield>> of(interval crop) {
    const bool inside = crop.first >= margin_ && crop.last + margin_ < axis_.extent() &&
                        crop.last - crop.first + 1 == length_;
    if (!inside) return axis_.yield_of(crop);
    if (inside_.empty()) {
      SHOAL_TRY(inside_, axis_.yield_of(crop));
      first_ = crop.first;
    }
    auto moved = inside_;
    for (std::size_t o = 0; o < outputs_; ++o) {
      if (!axis_.output_axis(o)) continue;
      const auto scale = axis_.output_scale(o);
      const auto by = (crop.first - first_) / scale.den * scale.num;
      moved[o].origin += by;
      moved[o].exact.first += by;
      moved[o].exact.last += by;
    }
    return moved;
  }

 private:
  const crop_geometry& axis_;
  std::size_t outputs_;
  std::int64_t length_, margin_;
  std::vector<crop_yield> inside_;
  std::int64_t first_ = 0;
};

std::int64_t rounded_up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

/// Goes along the axis, tile by tile, with crops of one length.
class walk {
 public:
  /// From element `next` of every output, up to but without `end`.
  walk(const crop_geometry& axis, std::int64_t length, std::vector<std::int64_t> next,
       std::vector<std::int64_t> end)
      : axis_(axis), step_(axis.alignment()),
        length_(std::min(rounded_up(std::max<std::int64_t>(length, 1), step_), axis.extent())),
        last_start_((axis.extent() - length_) / step_ * step_), next_(std::move(next)),
        end_(std::move(end)), known_(axis, next_.size(), length_) {}

  result<std::vector<tile_span>> finish() {
    std::vector<tile_span> spans;
    while (spans.empty() || !done()) {
      auto start = std::min(latest_start(), last_start_);
      SHOAL_TRY(auto got, known_.of(crop_from(start)));
      while (!gives_next(got)) {
        if (start == 0 || (!spans.empty() && start <= spans.back().image.first)) return too_small();
        start -= step_;
        SHOAL_TRY(got, known_.of(crop_from(start)));
      }
      spans.push_back(take(crop_from(start), got));
    }
    return spans;
  }

 private:
  bool missing(std::size_t o) const { return axis_.output_axis(o) && next_[o] < end_[o]; }
  bool done() const {
    for (std::size_t o = 0; o < next_.size(); ++o)
      if (missing(o)) return false;
    return true;
  }
  interval crop_from(std::int64_t first) const {
    return {first, first == last_start_ ? axis_.extent() - 1 : first + length_ - 1};
  }
  bool gives_next(const std::vector<crop_yield>& got) const {
    for (std::size_t o = 0; o < next_.size(); ++o)
      if (missing(o) && (got[o].exact.first > next_[o] || got[o].exact.last < next_[o]))
        return false;
    return true;
  }
  /// Where the crop has to begin at the latest for what is missing next; only a guess: it may need
  /// to begin further in front.
  std::int64_t latest_start() const {
    auto first = axis_.extent();
    for (std::size_t o = 0; o < next_.size(); ++o) {
      if (!missing(o)) continue;
      const auto field = axis_.field_of(o, {next_[o], next_[o]});
      if (field.first <= field.last) first = std::min(first, field.first);
    }
    return first == axis_.extent() ? 0 : first / step_ * step_;
  }
  tile_span take(interval crop, const std::vector<crop_yield>& got) {
    tile_span span{crop, std::vector<tile_yield>(next_.size())};
    for (std::size_t o = 0; o < next_.size(); ++o) {
      if (!missing(o)) continue;
      const auto last = std::min(got[o].exact.last, end_[o] - 1);
      span.gives[o] = {{next_[o], last}, next_[o] - got[o].origin};
      next_[o] = last + 1;
    }
    return span;
  }
  error too_small() const {
    return fail(errc::invalid_argument,
                "tiles of {} elements are too small: up to {} elements of the image decide on one "
                "of the result, and tiles begin at multiples of {}",
                length_, axis_.reach(), step_);
  }

  const crop_geometry& axis_;
  std::int64_t step_, length_, last_start_;
  std::vector<std::int64_t> next_, end_;
  yields known_;
};

} // namespace

result<std::vector<tile_span>> cover_axis(const crop_geometry& axis, std::size_t outputs,
                                          std::int64_t length) {
  std::vector<std::int64_t> end(outputs, 0);
  for (std::size_t o = 0; o < outputs; ++o)
    if (axis.output_axis(o)) end[o] = axis.output_extent(o);
  return walk(axis, length, std::vector<std::int64_t>(outputs, 0), std::move(end)).finish();
}

result<std::vector<tile_span>> halve_span(const crop_geometry& axis, const tile_span& span) {
  std::vector<std::int64_t> next, end;
  for (const auto& given : span.gives) {
    next.push_back(given.output.first);
    end.push_back(given.output.last + 1);
  }
  const auto length = span.image.last - span.image.first + 1;
  // Each half has the halo on its inner side, too.
  const auto half = (length + axis.reach()) / 2;
  SHOAL_TRY(auto halves, walk(axis, half, std::move(next), std::move(end)).finish());
  if (halves.size() < 2 || half >= length)
    return fail(errc::invalid_argument,
                "a tile of {} elements cannot be halved: up to {} decide "
                "on one of the result",
                length, axis.reach());
  return halves;
}

result<std::vector<tile_span>> divide_axis(const crop_geometry& axis, std::size_t outputs,
                                           std::int64_t count) {
  const auto step = axis.alignment();
  auto best = cover_axis(axis, outputs, axis.extent());
  if (!best || count <= 1) return best;
  // Crops of `low` steps are too short, of `high` long enough.
  std::int64_t low = std::max<std::int64_t>(axis.extent() / count / step - 1, 0);
  std::int64_t high = rounded_up(axis.extent(), step) / step;
  while (low + 1 < high) {
    const auto middle = low + (high - low) / 2;
    auto spans = cover_axis(axis, outputs, middle * step);
    if (spans && static_cast<std::int64_t>(spans->size()) <= count) {
      high = middle;
      best = std::move(spans);
    } else {
      low = middle;
    }
  }
  return best;
}

} // namespace shoal
