#include "runtime/operators/by_values.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>
#include <array>
#include <numeric>

namespace shoal::operators {
namespace {

/// Corners of a box, ordered.
struct box {
  float top, left, bottom, right;
  float area() const { return (bottom - top) * (right - left); }
};

box read_box(const float* values, bool by_center) {
  if (by_center) {
    const float half_width = values[2] / 2, half_height = values[3] / 2;
    return {values[1] - half_height, values[0] - half_width, values[1] + half_height,
            values[0] + half_width};
  }
  return {std::min(values[0], values[2]), std::min(values[1], values[3]),
          std::max(values[0], values[2]), std::max(values[1], values[3])};
}

/// The part of the two boxes' union that both cover.
float overlap(const box& a, const box& b) {
  const float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0) return 0;
  const float both = height * width;
  return both / (a.area() + b.area() - both);
}

struct suppression {
  std::int64_t most = 0;            ///< boxes per batch entry and class
  float overlap_above = 0;          ///< suppresses
  std::optional<float> score_above; ///< is needed
};

result<float> read_threshold(const node_context& c, std::size_t i) {
  SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32}));
  if (c.dims(i).element_count() != 1)
    return arguments::refuse(c, errc::malformed, "input {} is {}, expected one number", i,
                             to_string(c.inputs[i].type));
  return c.inputs[i].constant->values<float>()[0];
}

result<suppression> read_limits(const node_context& c) {
  suppression limits;
  if (c.has(2)) {
    SHOAL_TRY(const auto most, arguments::constant_ints(c, 2, "max_output_boxes_per_class"));
    if (most.size() != 1)
      return arguments::refuse(c, errc::malformed, "max_output_boxes_per_class has {} elements",
                               most.size());
    limits.most = most[0];
  }
  if (c.has(3)) {
    SHOAL_TRY(limits.overlap_above, read_threshold(c, 3));
  }
  if (c.has(4)) {
    SHOAL_TRY(limits.score_above, read_threshold(c, 4));
  }
  return limits;
}

/// The boxes that stay, best first; of equal scores the first one.
std::vector<std::int64_t> select(std::span<const box> boxes, const float* scores,
                                 const suppression& limits) {
  std::vector<std::int64_t> order(boxes.size());
  std::iota(order.begin(), order.end(), 0);
  // Not a number is never above a threshold, and has no place in an order.
  std::erase_if(order, [&](auto i) {
    return !(scores[i] == scores[i]) || (limits.score_above && !(scores[i] > *limits.score_above));
  });
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return scores[a] > scores[b]; });
  std::vector<std::int64_t> kept;
  for (const auto i : order) {
    if (static_cast<std::int64_t>(kept.size()) >= limits.most) break;
    const auto covers = [&](auto k) {
      return overlap(boxes[static_cast<std::size_t>(k)], boxes[static_cast<std::size_t>(i)]) >
             limits.overlap_above;
    };
    if (std::none_of(kept.begin(), kept.end(), covers)) kept.push_back(i);
  }
  return kept;
}

result<std::vector<tensor>> evaluate(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::f32}));
  const auto &boxes = c.dims(0), &scores = c.dims(1);
  if (boxes.rank() != 3 || scores.rank() != 3 || boxes[2] != 4 || boxes[0] != scores[0] ||
      boxes[1] != scores[2])
    return arguments::refuse(
        c, errc::invalid_argument,
        "expected boxes [batch,n,4] and scores [batch,classes,n], got {} and {}", to_string(boxes),
        to_string(scores));
  SHOAL_CHECK(by_values::expect(c));
  SHOAL_TRY(const auto limits, read_limits(c));
  const bool by_center = c.attrs().get_int("center_point_box", 0) != 0;
  std::vector<std::int64_t> found;
  std::vector<box> read(static_cast<std::size_t>(boxes[1]));
  const auto* corner = c.inputs[0].constant->values<float>().data();
  const auto* score = c.inputs[1].constant->values<float>().data();
  for (std::int64_t b = 0; b < boxes[0]; ++b) {
    for (auto& one : read) {
      one = read_box(corner, by_center);
      corner += 4;
    }
    for (std::int64_t k = 0; k < scores[1]; ++k, score += scores[2])
      for (const auto i : select(read, score, limits)) found.insert(found.end(), {b, k, i});
  }
  return std::vector{
      tensor::of<std::int64_t>({static_cast<std::int64_t>(found.size()) / 3, 3}, found)};
}

} // namespace

const operator_def non_max_suppression{.name = "NonMaxSuppression",
                                       .first_opset = 10,
                                       .min_inputs = 2,
                                       .max_inputs = 5,
                                       .infer = by_values::infer<evaluate>,
                                       .evaluate = evaluate};

} // namespace shoal::operators
