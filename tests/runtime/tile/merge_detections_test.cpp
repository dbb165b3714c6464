#include "runtime/tile/merge_detections.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

using namespace shoal;
using namespace shoal::test;

namespace {

std::vector<detection> random_detections(random_numbers& numbers, int count) {
  std::vector<detection> found;
  for (int i = 0; i < count; ++i) {
    detection d;
    d.x1 = static_cast<float>(numbers.below(40));
    d.y1 = static_cast<float>(numbers.below(40));
    d.x2 = d.x1 + static_cast<float>(numbers.below(15));
    d.y2 = d.y1 + static_cast<float>(numbers.below(15));
    d.score = static_cast<float>(numbers.below(6)) / 8; // many ties
    d.label = numbers.below(3);
    found.push_back(d);
    if (numbers.chance(5)) found.push_back(d); // the same object, seen by two tiles
  }
  return found;
}

/// Elements of a raster of 1 × 1 squares that both boxes hold, over those that either holds, or
/// the smaller.
double raster_overlap(const detection& a, const detection& b, box_overlap measure) {
  int both = 0, in_a = 0, in_b = 0;
  for (float y = 0; y < 60; ++y)
    for (float x = 0; x < 60; ++x) {
      const auto holds = [&](const detection& d) {
        return x >= d.x1 && x + 1 <= d.x2 && y >= d.y1 && y + 1 <= d.y2;
      };
      in_a += holds(a) ? 1 : 0;
      in_b += holds(b) ? 1 : 0;
      both += holds(a) && holds(b) ? 1 : 0;
    }
  const int whole = measure == box_overlap::iou ? in_a + in_b - both : std::min(in_a, in_b);
  if (whole > 0) return static_cast<double>(both) / whole;
  return a.x1 == b.x1 && a.x2 == b.x2 && a.y1 == b.y1 && a.y2 == b.y2 ? 1 : 0;
}

/// Again and again the best of all that is left.
std::vector<detection> oracle(std::vector<detection> left, const merge_options& options) {
  std::vector<detection> objects;
  const auto key = [](const detection& d) {
    return std::tuple(-d.score, d.label, d.x1, d.y1, d.x2, d.y2);
  };
  std::erase_if(left, [&](const auto& d) { return d.score < options.least_score; });
  while (!left.empty()) {
    const auto best = *std::ranges::min_element(left, {}, key);
    auto object = best;
    bool itself = false;
    std::erase_if(left, [&](const detection& d) {
      const bool first = !itself && d == best;
      itself = itself || first;
      if (first) return true;
      const bool same = (!options.per_class || d.label == best.label) &&
                        raster_overlap(best, d, options.overlap) > options.threshold;
      if (same && options.way == merge_way::nmm) {
        object.x1 = std::min(object.x1, d.x1);
        object.y1 = std::min(object.y1, d.y1);
        object.x2 = std::max(object.x2, d.x2);
        object.y2 = std::max(object.y2, d.y2);
      }
      return same;
    });
    objects.push_back(object);
  }
  return objects;
}

} // namespace

TEST_CASE("objects are those that plain search finds, whatever order the boxes come in") {
  random_numbers numbers(10);
  for (int round = 0; round < 40; ++round) {
    auto found = random_detections(numbers, static_cast<int>(numbers.below(30)));
    merge_options options;
    options.threshold =
        std::vector<double>{0, 0.25, 0.5, 0.9, 1}[static_cast<std::size_t>(numbers.below(5))];
    options.least_score = numbers.chance(3) ? 0.25f : 0;
    for (const auto way : {merge_way::nms, merge_way::nmm})
      for (const auto overlap : {box_overlap::iou, box_overlap::ios})
        for (const bool per_class : {true, false}) {
          options.way = way;
          options.overlap = overlap;
          options.per_class = per_class;
          const auto expected = oracle(found, options);
          const auto got = merge_detections(found, options);
          REQUIRE(got);
          CHECK(*got == expected);
          auto turned = found;
          std::ranges::reverse(turned);
          CHECK(*merge_detections(turned, options) == expected);
        }
  }
}

TEST_CASE("the halves of an object that lies across two tiles become one by merging") {
  const detection whole{0, 0, 10, 4, 0.9f, 1}, left{-3, 0, 6, 4, 0.8f, 1};
  merge_options options;
  options.way = merge_way::nmm;
  options.overlap = box_overlap::ios;
  CHECK(*merge_detections(std::vector{left, whole}, options) ==
        std::vector<detection>{{-3, 0, 10, 4, 0.9f, 1}});
  options.overlap = box_overlap::iou; // 24 of 52
  CHECK(merge_detections(std::vector{left, whole}, options)->size() == 2);
}

TEST_CASE("what a tile found is moved to where it is in the image") {
  const std::vector<detection> found{{1, 2, 3, 4, 0.5f, 7}};
  CHECK(move_detections(found, 100, 200) == std::vector<detection>{{101, 202, 103, 204, 0.5f, 7}});
  CHECK(move_detections(found, 10, 0, 2.5) ==
        std::vector<detection>{{12.5f, 5, 17.5f, 10, 0.5f, 7}});
}

TEST_CASE("many boxes that are spread over an image are merged without comparing all") {
  std::vector<detection> found;
  for (int i = 0; i < 200'000; ++i) {
    const auto x = static_cast<float>(i) * 10;
    found.push_back({x, 0, x + 8, 8, 0.5f, 0});
  }
  CHECK(merge_detections(found, {})->size() == found.size());
}

TEST_CASE("boxes that are none are refused in words that name them") {
  const auto message = [](const detection& d, const merge_options& options = {}) {
    const auto got = merge_detections(std::vector{detection{}, d}, options);
    REQUIRE(!got);
    CHECK(got.error().code() == errc::invalid_argument);
    return got.error().message();
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(message({3, 0, 1, 1, 0.5f, 0}) ==
        "detection 1 has the box (3, 0, 1, 1) and the score 0.5; expected finite numbers, left "
        "before right and top before bottom");
  CHECK(message({0, 0, 1, 1, nan, 0})
            .find("detection 1 has the box (0, 0, 1, 1) and the score nan") == 0);
  merge_options options;
  options.threshold = 1.5;
  CHECK(message({}, options) == "the threshold of overlap is in [0, 1], not 1.5");
}

TEST_CASE("detections come from tensors of boxes, scores and labels") {
  const auto boxes = tensor::of<float>({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7});
  const auto scores = tensor::of<double>({2}, {0.5, 0.25});
  const auto got = to_detections(boxes, scores, tensor::of<std::int32_t>({2}, {9, -1}));
  REQUIRE(got);
  CHECK(*got == std::vector<detection>{{0, 1, 2, 3, 0.5f, 9}, {4, 5, 6, 7, 0.25f, -1}});
  CHECK(to_detections(boxes, scores, {})->at(1).label == 0);
  CHECK(to_detections(scores, scores, {}).error().message() ==
        "expected boxes [N,4] in floating point, got float64[2]");
  CHECK(to_detections(boxes, boxes, {}).error().message() ==
        "expected scores [2] in floating point, got float32[2,4]");
  CHECK(to_detections(boxes, scores, scores).error().message() ==
        "expected labels [2] in integers up to int64, got float64[2]");
}
