#include "runtime/tile/merge_detections.hpp"

#include "runtime/aggregate/element_values.hpp"
#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace shoal {
namespace {

auto order_of(const detection& d) {
  return std::tuple(-d.score, d.label, d.x1, d.y1, d.x2, d.y2);
}

double area(const detection& d) {
  return (static_cast<double>(d.x2) - static_cast<double>(d.x1)) *
         (static_cast<double>(d.y2) - static_cast<double>(d.y1));
}

result<void> check(std::span<const detection> found, const merge_options& options) {
  if (!(options.threshold >= 0 && options.threshold <= 1))
    return fail(errc::invalid_argument, "the threshold of overlap is in [0, 1], not {}",
                options.threshold);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& d = found[i];
    bool finite = std::isfinite(d.score);
    for (const float side : {d.x1, d.y1, d.x2, d.y2}) finite = finite && std::isfinite(side);
    if (finite && d.x1 <= d.x2 && d.y1 <= d.y2) continue;
    return fail(errc::invalid_argument,
                "detection {} has the box ({}, {}, {}, {}) and the score {}; expected finite "
                "numbers, left before right and top before bottom",
                i, d.x1, d.y1, d.x2, d.y2, d.score);
  }
  return {};
}

void grow(detection& object, const detection& part) {
  object.x1 = std::min(object.x1, part.x1);
  object.y1 = std::min(object.y1, part.y1);
  object.x2 = std::max(object.x2, part.x2);
  object.y2 = std::max(object.y2, part.y2);
}

/// The boxes by their left sides: those that reach a box can be looked up.
class left_sides {
 public:
  explicit left_sides(const std::vector<detection>& all) : all_(&all), by_left_(all.size()) {
    for (std::size_t i = 0; i < all.size(); ++i) by_left_[i] = i;
    std::ranges::sort(by_left_, [&](std::size_t a, std::size_t b) {
      return std::tuple(all[a].x1, a) < std::tuple(all[b].x1, b);
    });
    for (const auto& d : all)
      widest_ = std::max(widest_, static_cast<double>(d.x2) - static_cast<double>(d.x1));
  }

  /// Calls `f(i)` with the boxes that may meet `box`, in rising order of their left sides.
  template <class F>
  void visit(const detection& box, const F& f) const {
    const auto from = static_cast<double>(box.x1) - widest_;
    auto at = std::ranges::lower_bound(
        by_left_, from, {}, [&](std::size_t i) { return static_cast<double>((*all_)[i].x1); });
    for (; at != by_left_.end() && (*all_)[*at].x1 <= box.x2; ++at) f(*at);
  }

 private:
  const std::vector<detection>* all_;
  std::vector<std::size_t> by_left_;
  double widest_ = 0;
};

} // namespace

double overlap_of(const detection& a, const detection& b, box_overlap measure) {
  const auto meet = [](float a1, float a2, float b1, float b2) {
    return std::max(0.0,
                    static_cast<double>(std::min(a2, b2)) - static_cast<double>(std::max(a1, b1)));
  };
  const double shared = meet(a.x1, a.x2, b.x1, b.x2) * meet(a.y1, a.y2, b.y1, b.y2);
  const double whole =
      measure == box_overlap::iou ? area(a) + area(b) - shared : std::min(area(a), area(b));
  if (whole > 0) return shared / whole;
  const bool same = a.x1 == b.x1 && a.y1 == b.y1 && a.x2 == b.x2 && a.y2 == b.y2;
  return same ? 1 : 0;
}

result<std::vector<detection>> merge_detections(std::span<const detection> found,
                                                const merge_options& options) {
  SHOAL_CHECK(check(found, options));
  std::vector<detection> all;
  for (const auto& d : found)
    if (d.score >= options.least_score) all.push_back(d);
  std::ranges::sort(all, {}, order_of);
  const left_sides near(all);
  std::vector<bool> gone(all.size(), false);
  std::vector<detection> objects;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (gone[i]) continue;
    gone[i] = true;
    auto object = all[i];
    near.visit(all[i], [&](std::size_t j) {
      if (gone[j] || (options.per_class && all[j].label != all[i].label)) return;
      if (!(overlap_of(all[i], all[j], options.overlap) > options.threshold)) return;
      gone[j] = true;
      if (options.way == merge_way::nmm) grow(object, all[j]);
    });
    objects.push_back(object);
  }
  return objects;
}

std::vector<detection> move_detections(std::span<const detection> found, double x, double y,
                                       double scale) {
  std::vector<detection> moved(found.begin(), found.end());
  const auto place = [&](float at, double origin) {
    return static_cast<float>(static_cast<double>(at) * scale + origin);
  };
  for (auto& d : moved) {
    d.x1 = place(d.x1, x);
    d.x2 = place(d.x2, x);
    d.y1 = place(d.y1, y);
    d.y2 = place(d.y2, y);
  }
  return moved;
}

result<std::vector<detection>> to_detections(const tensor& boxes, const tensor& scores,
                                             const tensor& labels) {
  const auto n = boxes.dims().rank() == 2 ? boxes.dims()[0] : 0;
  const auto plain = [](const tensor& t) { return !t.empty() && t.format() == layout::plain; };
  if (!plain(boxes) || boxes.dims() != shape{n, 4} || !is_floating(boxes.element_type()))
    return fail(errc::invalid_argument, "expected boxes [N,4] in floating point, got {}",
                to_string(boxes.type()));
  if (!plain(scores) || scores.dims() != shape{n} || !is_floating(scores.element_type()))
    return fail(errc::invalid_argument, "expected scores [{}] in floating point, got {}", n,
                to_string(scores.type()));
  const bool labelled = !labels.empty();
  if (labelled && (!plain(labels) || labels.dims() != shape{n} ||
                   is_floating(labels.element_type()) || labels.element_type() == dtype::u64))
    return fail(errc::invalid_argument, "expected labels [{}] in integers up to int64, got {}", n,
                to_string(labels.type()));
  std::vector<double> sides(static_cast<std::size_t>(4 * n)), sure(static_cast<std::size_t>(n));
  read_elements(boxes, 0, sides);
  read_elements(scores, 0, sure);
  std::vector<detection> out(sure.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto side = [&](std::size_t k) { return static_cast<float>(sides[4 * i + k]); };
    out[i] = {side(0), side(1), side(2), side(3), static_cast<float>(sure[i]), 0};
  }
  if (labelled)
    visit_dtype(labels.element_type(), [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_integral_v<T>)
        for (std::size_t i = 0; i < out.size(); ++i)
          out[i].label = static_cast<std::int64_t>(labels.values<T>()[i]);
    });
  return out;
}

} // namespace shoal
