#include "runtime/tile/picture_ends.hpp"

#include <algorithm>

namespace shoal {
namespace {

image_window window_of(const tile_yield& rows, const tile_yield& columns) {
  return {static_cast<int>(columns.output.first), static_cast<int>(rows.output.first),
          static_cast<int>(columns.output.last - columns.output.first + 1),
          static_cast<int>(rows.output.last - rows.output.first + 1)};
}

} // namespace

result<tensor> picture_source::read(interval rows, interval columns) {
  SHOAL_TRY(const auto pixels,
            picture_.read({static_cast<int>(columns.first), static_cast<int>(rows.first),
                           static_cast<int>(columns.last - columns.first + 1),
                           static_cast<int>(rows.last - rows.first + 1)}));
  return image_to_tensor(pixels, how_);
}

void picture_source::forget_before(std::int64_t row) {
  picture_.forget_before(static_cast<int>(row));
}

result<void> picture_sink::write(std::size_t output, const tile_yield& rows,
                                 const tile_yield& columns, const tensor& values) {
  if (output != 0) return {};
  const auto axes = plan_.output_axes(0);
  for (const auto& part : without(window_of(rows, columns), picture_.done())) {
    auto type = values.type();
    type.dims[axes.rows] = part.height;
    type.dims[axes.columns] = part.width;
    SHOAL_TRY(auto piece, tensor::allocate(type));
    copy_window(values, rows.skip + part.y - rows.output.first,
                columns.skip + part.x - columns.output.first, piece, 0, 0, part.height, part.width,
                axes);
    SHOAL_TRY(const auto pixels, tensor_to_image(piece, how_));
    SHOAL_CHECK(picture_.write(part, pixels));
  }
  return {};
}

bool picture_sink::has(const tile_span& rows, const tile_span& columns) const {
  return without(window_of(rows.gives[0], columns.gives[0]), picture_.done()).empty();
}

std::vector<image_window> without(const image_window& window,
                                  std::span<const image_window> others) {
  for (std::size_t i = 0; i < others.size(); ++i) {
    const auto& other = others[i];
    const auto left = std::max(window.x, other.x), top = std::max(window.y, other.y);
    const auto right = static_cast<int>(std::min(window.right(), other.right()));
    const auto bottom = static_cast<int>(std::min(window.bottom(), other.bottom()));
    if (left >= right || top >= bottom) continue;
    // Above, below, and beside what they share.
    const image_window around[] = {
        {window.x, window.y, window.width, top - window.y},
        {window.x, bottom, window.width, static_cast<int>(window.bottom()) - bottom},
        {window.x, top, left - window.x, bottom - top},
        {right, top, static_cast<int>(window.right()) - right, bottom - top}};
    std::vector<image_window> left_over;
    for (const auto& piece : around) {
      if (piece.width <= 0 || piece.height <= 0) continue;
      const auto rest = without(piece, others.subspan(i + 1));
      left_over.insert(left_over.end(), rest.begin(), rest.end());
    }
    return left_over;
  }
  return {window};
}

} // namespace shoal
