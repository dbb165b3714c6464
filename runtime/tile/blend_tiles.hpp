#pragma once

#include "runtime/tile/blend_weights.hpp"

#include <functional>
#include <map>

namespace shoal {

/// What is done to each place of an output before it is handed on.
enum class blend_reduction : std::uint8_t {
  none,
  /// The channel (axis −3) with the greatest value, the lowest of equal ones; a NaN is less than
  /// every number. uint8 for up to 256 channels, else int32, without that axis.
  argmax
};

struct blend_options {
  blend_scale scale = {}; ///< of this output
  blend_kind weights = blend_shape::gaussian;
  blend_reduction reduction = blend_reduction::none;
};

/// Gets finished rows of an output, from top to bottom, each once: [..., rows, width], of the
/// tiles' type. What it returns ends the blending, if it is an error.
using blended_rows = std::function<result<void>(std::int64_t first_row, const tensor& rows)>;

/// Makes one output of an image out of the outputs of its overlapping tiles: at each place
/// Σ w·x / Σ w over the tiles that cover it, in float64, rounded once to the tiles' type.
///
/// Tiles may come in any order, and are added in the order of their numbers: the bytes do not
/// depend on it. One that comes before its turn is kept until then. Other than that it holds a band
/// of rows as high as a tile, in float64, and hands on rows as soon as no tile to come touches
/// them. Not thread-safe.
class tile_blender {
 public:
  /// Keeps what it needs of `grid`.
  static result<tile_blender> make(const overlap_grid& grid, const blend_options& options,
                                   blended_rows rows);

  /// The output of one tile, [..., height, width]; a second one for the same tile is dropped.
  /// `invalid_argument` for shapes that do not fit; errors of `rows`.
  result<void> add(std::size_t tile, tensor values);
  /// The outputs of tiles from `first` on, along axis 0: each is added as [1, ..., height, width].
  result<void> add_batch(std::size_t first, const tensor& values);

  /// Whether all rows have been handed on.
  bool finished() const { return next_ == count_; }
  /// Tiles that wait for their turn.
  std::size_t held() const { return waiting_.size(); }
  std::int64_t height() const { return rows_.extent; }
  std::int64_t width() const { return columns_.extent; }

 private:
  tile_blender() = default;
  result<void> check(std::size_t tile, const tensor& values) const;
  result<void> begin(const tensor_type& type);
  result<void> accumulate(std::size_t tile, const tensor& values);
  result<void> hand_on(std::int64_t end);
  void fill(tensor& rows, std::int64_t count) const;
  void fill_classes(tensor& rows, std::int64_t count) const;
  tensor_type rows_type(std::int64_t count) const;

  blend_axis rows_, columns_;
  blend_shape shape_ = blend_shape::constant;
  tensor map_; ///< of weights, instead of the shape
  blend_reduction reduction_ = blend_reduction::none;
  blended_rows sink_;
  std::size_t count_ = 0, next_ = 0;
  std::map<std::size_t, tensor> waiting_;

  std::optional<tensor_type> type_; ///< of a tile's output
  std::int64_t planes_ = 1;         ///< what precedes height and width
  std::int64_t first_row_ = 0;      ///< of the band
  tensor sums_;                     ///< [tile height, planes, width] of Σ w·x
  tensor weights_;                  ///< [tile height, width] of Σ w
};

} // namespace shoal
