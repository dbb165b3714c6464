#pragma once

#include "runtime/plan/graph_use.hpp"
#include "runtime/tile/tile_spans.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace shoal {

/// So many tiles.
struct tile_grid {
  std::int64_t rows = 1, columns = 1;
};
/// Crops of so many elements of the image; rounded up to what the model's strides need.
struct tile_extents {
  std::int64_t height = 0, width = 0;
};
/// The largest tiles of which one takes at most `memory_bytes` and which give every executor some.
struct auto_tiles {
  std::uint64_t memory_bytes = default_memory_bytes; ///< activations of one tile
  std::int64_t executors = 1;

  /// Larger tiles would save little more of what neighbours compute twice.
  static constexpr std::uint64_t default_memory_bytes = std::uint64_t{512} << 20;
};
using tile_choice = std::variant<auto_tiles, tile_grid, tile_extents>;

/// "auto", "4x6" (rows by columns) or "512x768px" (height by width of what is read at once).
result<tile_choice> parse_tile_choice(std::string_view text);

/// Which input is the image, and along which axes it is cut.
struct image_axes {
  std::size_t input = 0;
  int rows = 2, columns = 3;
};

/// How an image goes through a model in tiles that give, put together, what the whole gives.
class tile_plan {
 public:
  /// `inputs` are the types of all the model's inputs, with the extents of the whole image. All of
  /// the model's outputs have to have the image's axes. `unsupported` names the node that needs the
  /// whole image; `invalid_argument` for tiles that are too small to give anything.
  static result<tile_plan> make(std::shared_ptr<const graph> model,
                                std::span<const tensor_type> inputs, const tile_choice& choice,
                                const image_axes& axes = {});

  const std::vector<tile_span>& rows() const { return rows_; }
  const std::vector<tile_span>& columns() const { return columns_; }
  std::size_t count() const { return rows_.size() * columns_.size(); }
  /// A span of rows or columns in shorter ones: what to do when a tile does not fit into memory.
  result<std::vector<tile_span>> halve_rows(const tile_span& span) const {
    return halve_span(*down_, span);
  }
  result<std::vector<tile_span>> halve_columns(const tile_span& span) const {
    return halve_span(*across_, span);
  }

  const image_axes& axes() const { return axes_; }
  const tensor_type& image() const { return inputs_[axes_.input]; }
  const std::vector<tensor_type>& inputs() const { return inputs_; }
  /// Of the whole.
  const std::vector<tensor_type>& outputs() const { return outputs_; }
  /// The axes of an output that follow from the image's.
  image_axes output_axes(std::size_t output) const { return output_axes_[output]; }

  /// The types of all inputs for the crop that occurs most often.
  std::vector<tensor_type> usual_inputs() const;
  /// Why results may not be the same bits as those of the whole with `load_options::steady`; empty
  /// when they are.
  const std::string& inexact() const { return inexact_; }
  /// What all tiles compute, over what the whole does, less 1.
  double overcompute() const { return tiled_flops_ / whole_.flops - 1; }
  /// Elements of the image on each side that decide on an element of an output, at most.
  std::pair<std::int64_t, std::int64_t> halo() const { return halo_; }
  std::uint64_t tile_bytes() const { return largest_tile_.peak_bytes; }
  std::uint64_t whole_bytes() const { return whole_.peak_bytes; }

 private:
  tile_plan() = default;
  result<void> choose(const tile_choice& choice);
  result<void> divide(const auto_tiles& choice);
  result<graph_use> use_of_crop(std::int64_t height, std::int64_t width) const;
  result<void> add_up();

  std::shared_ptr<const graph> model_;
  std::optional<crop_geometry> down_, across_;
  image_axes axes_;
  std::vector<tensor_type> inputs_, outputs_;
  std::vector<image_axes> output_axes_;
  std::vector<tile_span> rows_, columns_;
  std::string inexact_;
  std::pair<std::int64_t, std::int64_t> halo_;
  graph_use whole_, largest_tile_;
  double tiled_flops_ = 0;
};

/// For a terminal: grid, tiles, halo, arithmetic, memory, and what is guaranteed.
std::string render_tiles(const tile_plan& plan);

} // namespace shoal
