#pragma once

#include "runtime/image/image_sink.hpp"
#include "runtime/image/image_source.hpp"
#include "runtime/tensor/image_tensor.hpp"
#include "runtime/tile/tile_ends.hpp"

#include <span>
#include <vector>

namespace shoal {

/// Tiles of a picture that need not fit into memory.
class picture_source final : public tile_source {
 public:
  /// `how` neither resizes nor crops. The picture outlives this.
  picture_source(image_source& picture, const image_input_options& how)
      : picture_(picture), how_(how) {}
  result<tensor> read(interval rows, interval columns) override;
  void forget_before(std::int64_t row) override;

 private:
  image_source& picture_;
  image_input_options how_;
};

/// The first output as a picture that need not fit into memory; others are not looked at.
class picture_sink final : public tile_sink {
 public:
  /// The plan and the picture, which has the extents of the output, outlive this.
  picture_sink(const tile_plan& plan, image_sink& picture, const image_output_options& how)
      : plan_(plan), picture_(picture), how_(how) {}
  result<void> write(std::size_t output, const tile_yield& rows, const tile_yield& columns,
                     const tensor& values) override;
  bool has(const tile_span& rows, const tile_span& columns) const override;

 private:
  const tile_plan& plan_;
  image_sink& picture_;
  image_output_options how_;
};

/// What is left of `window` without the others, which do not overlap: in few rectangles.
std::vector<image_window> without(const image_window& window, std::span<const image_window> others);

} // namespace shoal
