#pragma once

#include "runtime/session/binding.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace shoal {

/// A positive fraction in lowest terms.
struct scale_ratio {
  std::int64_t num = 1;
  std::int64_t den = 1;

  scale_ratio times(scale_ratio other) const;
  friend bool operator==(const scale_ratio&, const scale_ratio&) = default;
};

/// What comes out of a crop of an image along one axis. Elements are counted as in the whole.
struct crop_yield {
  interval exact;          ///< elements of the output that come out as of the whole image
  std::int64_t origin = 0; ///< the first element of the output that comes out

  friend bool operator==(const crop_yield&, const crop_yield&) = default;
};

/// How the elements of a graph's outputs along one axis of an image follow from those of the image:
/// what a tile of the output is computed from when the unmodified graph runs on a crop of the image
/// ("crop mode"). Follows from the operators' receptive fields alone; knows no operator by name.
///
/// A crop begins where every value of the graph begins at a whole element, so that strides, phases
/// of pools and of interpolation stay what they are in the whole image. Near a side of the crop
/// that is no side of the image, padding takes the place of neighbours: what depends on it is not
/// used.
///
/// Immutable: any number of threads may read.
class crop_geometry {
 public:
  /// For graph input `input` of `whole`, which is bound to the whole image, along its axis `axis`.
  /// `unsupported` names the node that needs the axis whole or depends on the place in it.
  static result<crop_geometry> derive(std::shared_ptr<const bound_graph> whole, std::size_t input,
                                      int axis);

  /// Elements of the image along the axis.
  std::int64_t extent() const { return extent_; }
  /// So many elements of the image decide on one element of an output, at most.
  std::int64_t reach() const { return reach_; }
  /// Crops begin at multiples of this many elements of the image.
  std::int64_t alignment() const { return alignment_; }
  /// The axis of output `output` that the image's axis becomes; nothing if it does not.
  std::optional<int> output_axis(std::size_t output) const;
  /// Elements along that axis.
  std::int64_t output_extent(std::size_t output) const;
  /// Elements of the output for each of the image.
  scale_ratio output_scale(std::size_t output) const;
  /// Elements of the image that the elements `wanted` of the output depend on, clipped to it.
  interval field_of(std::size_t output, interval wanted) const;
  /// What crop `crop` of the image, which begins at a multiple of the alignment, yields of every
  /// output; nothing of those without an axis. `unsupported` when some node does to a crop what it
  /// does not do to the image; other errors when the graph does not run on so little.
  result<std::vector<crop_yield>> yield_of(interval crop) const;

 private:
  /// Where a value has the image's axis.
  struct place {
    int axis = 0;
    scale_ratio scale; ///< elements of the value for each of the image
  };

  crop_geometry() = default;
  result<void> place_outputs(std::size_t node);
  result<std::unique_ptr<bound_graph>> bind_crop(std::int64_t length) const;
  result<interval> exact_part(const bound_graph& on_crop, std::size_t node, interval crop,
                              std::span<const interval> exact) const;
  std::int64_t slack_of(value_id id) const;
  std::int64_t origin(value_id id, interval crop) const;

  std::shared_ptr<const bound_graph> whole_;
  std::vector<std::optional<place>> places_; ///< by value
  std::size_t input_ = 0;
  int axis_ = 0;
  value_id image_ = 0;
  std::int64_t extent_ = 0;
  std::int64_t alignment_ = 1;
  std::int64_t reach_ = 0; ///< elements of the image that decide on one element of the outputs
};

} // namespace shoal
