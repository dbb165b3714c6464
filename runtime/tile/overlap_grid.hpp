#pragma once

#include "runtime/operators/operator.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <variant>
#include <vector>

namespace shoal {

/// How much neighbouring tiles have in common: a share of the tile in [0, 1), rounded to whole
/// elements, or so many elements.
using tile_overlap = std::variant<double, std::int64_t>;

/// Where the last tile of an axis lies when tiles at equal distances do not end with the image.
enum class last_tile : std::uint8_t {
  shift_inward, ///< it ends with the image, and has more in common with the one before
  pad           ///< it goes on at the same distance, beyond the image
};

/// What tiles hold beyond the image.
enum class tile_padding : std::uint8_t {
  constant,
  reflect, ///< mirrored at the last element, which is not repeated; over and over where need be
  edge     ///< the last element
};

struct overlap_options {
  std::int64_t height = 512, width = 512; ///< of a tile
  tile_overlap overlap = 0.25;
  last_tile last = last_tile::shift_inward;
  tile_padding padding = tile_padding::reflect;
  double padding_value = 0; ///< of constant
  /// Extents of tiles, rounded up, and the places where they begin are multiples of it: what a
  /// model with strides wants. A tile may then end up to `divisor` - 1 elements beyond the image.
  std::int64_t divisor = 1;
};

/// The tiles along one axis: all of one length, in order, the first at 0. An image that is shorter
/// than a tile is one tile, no longer than it has to be.
struct overlap_axis {
  std::int64_t extent = 0;           ///< of the image
  std::int64_t tile = 0;             ///< of each tile
  std::vector<std::int64_t> origins; ///< together the tiles cover the image

  /// `invalid_argument` for extents and overlaps that make no tiles, and beyond 2^24 of them.
  static result<overlap_axis> divide(std::int64_t extent, std::int64_t tile,
                                     const tile_overlap& overlap, last_tile last,
                                     std::int64_t divisor);
};

/// Overlapping tiles over an image: what approximate tiling computes one by one, and blends (see
/// blend_tiles.hpp). Tiles are numbered row by row.
class overlap_grid {
 public:
  static result<overlap_grid> make(std::int64_t height, std::int64_t width,
                                   const overlap_options& options);

  const overlap_axis& rows() const { return rows_; }
  const overlap_axis& columns() const { return columns_; }
  std::size_t count() const { return rows_.origins.size() * columns_.origins.size(); }
  std::size_t row_of(std::size_t tile) const { return tile / columns_.origins.size(); }
  std::size_t column_of(std::size_t tile) const { return tile % columns_.origins.size(); }

  /// One tile of an image [..., height, width], padded where it lies beyond.
  result<tensor> cut(const tensor& image, std::size_t tile) const;
  /// `count` tiles from `first` of an image [1, ..., height, width], one after the other along axis
  /// 0.
  result<tensor> cut(const tensor& image, std::size_t first, std::size_t count) const;

 private:
  result<void> check_image(const tensor& image) const;
  void copy(const tensor& image, std::size_t tile, std::byte* to) const;

  overlap_axis rows_, columns_;
  tile_padding padding_ = tile_padding::reflect;
  double padding_value_ = 0;
};

} // namespace shoal
