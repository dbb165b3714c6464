#pragma once

#include "runtime/base/result.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace shoal {

/// An object found in an image: its box (x to the right, y downwards, x1 <= x2, y1 <= y2), how sure
/// it is, and what it is.
struct detection {
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  float score = 0;
  std::int64_t label = 0;

  friend bool operator==(const detection&, const detection&) = default;
};

/// The same from a tensor of boxes [N, 4] (x1, y1, x2, y2) and of scores [N], floating point, and
/// of labels [N], integers; without labels (an empty tensor) all are 0. `invalid_argument` for
/// other shapes and types.
result<std::vector<detection>> to_detections(const tensor& boxes, const tensor& scores,
                                             const tensor& labels);

/// What was found in a tile that begins at (x, y) of the image and of which one element is `scale`
/// of the image's, moved to where it is in the image.
std::vector<detection> move_detections(std::span<const detection> found, double x, double y,
                                       double scale = 1);

enum class merge_way : std::uint8_t {
  nms, ///< non-maximum suppression: only the surest is kept
  nmm  ///< non-maximum merging: its box grows to hold all of them
};

enum class box_overlap : std::uint8_t {
  iou, ///< intersection over union
  ios  ///< intersection over the smaller of the two: finds parts of an object, too
};

struct merge_options {
  merge_way way = merge_way::nms;
  box_overlap overlap = box_overlap::iou;
  double threshold = 0.5; ///< in [0, 1]; boxes that overlap by more are the same object
  bool per_class = true;  ///< boxes of different labels are never the same
  float least_score = 0;  ///< what is less sure is dropped first
};

/// The objects of an image, each once: what tiles (and perhaps a pass over the whole image) found,
/// moved to the image. Greedy: the surest is an object, all that overlap with its box by more
/// than the threshold are the same one, and so on with what is left. With nmm the object keeps
/// score and label of the surest, and its box becomes the hull of all of them; the boxes are
/// compared with the surest's own. Surest first; of equally sure ones the lower label goes first,
/// then the box that is less by (x1, y1, x2, y2): so the answer does not depend on the order of
/// `found`. Two boxes without area overlap by 1 if they are the same, else by 0.
///
/// `invalid_argument` for a NaN, an infinite or inverted box, or a threshold out of range. About
/// n log n for boxes that are spread over the image; n² when all have the same extent in x.
result<std::vector<detection>> merge_detections(std::span<const detection> found,
                                                const merge_options& options);

/// How much two boxes overlap, in [0, 1].
double overlap_of(const detection& a, const detection& b, box_overlap measure);

} // namespace shoal
