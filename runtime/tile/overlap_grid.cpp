#include "runtime/tile/overlap_grid.hpp"

#include "runtime/aggregate/element_values.hpp"
#include "runtime/base/fail.hpp"

#include <cmath>
#include <cstring>

namespace shoal {
namespace {

constexpr std::int64_t most_extent = std::int64_t{1} << 40;
constexpr std::int64_t most_tiles = std::int64_t{1} << 24;

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

result<std::int64_t> overlap_in_elements(const tile_overlap& overlap, std::int64_t tile) {
  if (const auto* share = std::get_if<double>(&overlap)) {
    if (!(*share >= 0 && *share < 1))
      return fail(errc::invalid_argument, "tiles overlap by a share in [0, 1), not {}", *share);
    return std::llround(*share * static_cast<double>(tile));
  }
  const auto elements = std::get<std::int64_t>(overlap);
  if (elements >= 0 && elements < tile) return elements;
  return fail(errc::invalid_argument, "tiles of {} elements cannot overlap by {}", tile, elements);
}

/// Where element `at` of an axis of `extent` elements is taken from; -1: from nowhere.
std::int64_t source_of(std::int64_t at, std::int64_t extent, tile_padding padding) {
  if (at < extent) return at;
  if (padding == tile_padding::constant) return -1;
  if (padding == tile_padding::edge || extent == 1) return extent - 1;
  const auto period = 2 * (extent - 1);
  const auto phase = at % period;
  return phase < extent ? phase : period - phase;
}

} // namespace

result<overlap_axis> overlap_axis::divide(std::int64_t extent, std::int64_t tile,
                                          const tile_overlap& overlap, last_tile last,
                                          std::int64_t divisor) {
  for (const auto& [value, what] :
       {std::pair(extent, "an image"), std::pair(tile, "a tile"), std::pair(divisor, "a divisor")})
    if (value < 1 || value > most_extent)
      return fail(errc::invalid_argument, "{} of {} elements; expected 1 to {}", what, value,
                  most_extent);
  overlap_axis axis;
  axis.extent = extent;
  axis.tile = round_up(std::min(tile, extent), divisor);
  SHOAL_TRY(const auto shared, overlap_in_elements(overlap, round_up(tile, divisor)));
  axis.origins.push_back(0);
  if (axis.tile >= extent) return axis;
  const auto step = std::max((axis.tile - shared) / divisor * divisor, divisor);
  const auto more = (extent - axis.tile + step - 1) / step;
  if (more >= most_tiles)
    return fail(errc::invalid_argument,
                "{} elements in tiles of {} that begin every {} are {} tiles, more than {}", extent,
                axis.tile, step, more + 1, most_tiles);
  for (std::int64_t i = 1; i <= more; ++i) axis.origins.push_back(i * step);
  if (last == last_tile::shift_inward)
    axis.origins.back() = std::min(axis.origins.back(), round_up(extent - axis.tile, divisor));
  return axis;
}

result<overlap_grid> overlap_grid::make(std::int64_t height, std::int64_t width,
                                        const overlap_options& options) {
  overlap_grid grid;
  auto rows =
      overlap_axis::divide(height, options.height, options.overlap, options.last, options.divisor);
  if (!rows) return std::move(rows).error().within("rows");
  auto columns =
      overlap_axis::divide(width, options.width, options.overlap, options.last, options.divisor);
  if (!columns) return std::move(columns).error().within("columns");
  grid.rows_ = *std::move(rows);
  grid.columns_ = *std::move(columns);
  grid.padding_ = options.padding;
  grid.padding_value_ = options.padding_value;
  return grid;
}

result<void> overlap_grid::check_image(const tensor& image) const {
  const auto& dims = image.dims();
  if (image.format() == layout::plain && dims.rank() >= 2 &&
      dims[dims.rank() - 2] == rows_.extent && dims[dims.rank() - 1] == columns_.extent)
    return {};
  return fail(errc::invalid_argument, "the tiles are of an image [...,{},{}], got {}", rows_.extent,
              columns_.extent, to_string(image.type()));
}

result<tensor> overlap_grid::cut(const tensor& image, std::size_t tile) const {
  SHOAL_CHECK(check_image(image));
  assert(tile < count());
  auto type = image.type();
  type.dims[type.dims.rank() - 2] = rows_.tile;
  type.dims[type.dims.rank() - 1] = columns_.tile;
  SHOAL_TRY(auto out, tensor::allocate(type));
  copy(image, tile, out.mutable_data());
  return out;
}

result<tensor> overlap_grid::cut(const tensor& image, std::size_t first, std::size_t count) const {
  SHOAL_CHECK(check_image(image));
  assert(first + count <= this->count());
  auto type = image.type();
  if (type.dims.rank() < 3 || type.dims[0] != 1)
    return fail(errc::invalid_argument, "several tiles are cut from an image [1,...,{},{}], got {}",
                rows_.extent, columns_.extent, to_string(type));
  type.dims[type.dims.rank() - 2] = rows_.tile;
  type.dims[type.dims.rank() - 1] = columns_.tile;
  type.dims[0] = static_cast<std::int64_t>(count);
  SHOAL_TRY(auto out, tensor::allocate(type));
  const auto bytes = count == 0 ? 0 : out.byte_size() / count;
  for (std::size_t i = 0; i < count; ++i) copy(image, first + i, out.mutable_data() + i * bytes);
  return out;
}

void overlap_grid::copy(const tensor& image, std::size_t tile, std::byte* to) const {
  const auto unit = size_of(image.element_type());
  tensor filling({image.element_type(), {}}, allocate_storage(unit));
  write_elements({&padding_value_, 1}, filling, 0);
  const auto row0 = rows_.origins[row_of(tile)], column0 = columns_.origins[column_of(tile)];
  const auto planes = image.dims().element_count(0, image.dims().rank() - 2);
  const auto inside = std::min(columns_.tile, columns_.extent - column0);
  for (std::int64_t p = 0; p < planes; ++p)
    for (std::int64_t y = 0; y < rows_.tile; ++y) {
      const auto row = source_of(row0 + y, rows_.extent, padding_);
      const auto line = (p * rows_.extent + std::max<std::int64_t>(row, 0)) * columns_.extent;
      const auto* from = image.data() + static_cast<std::size_t>(line) * unit;
      const auto whole = row < 0 ? 0 : inside;
      if (whole > 0)
        std::memcpy(to, from + static_cast<std::size_t>(column0) * unit,
                    static_cast<std::size_t>(whole) * unit);
      for (auto x = whole; x < columns_.tile; ++x) {
        const auto column = row < 0 ? -1 : source_of(column0 + x, columns_.extent, padding_);
        std::memcpy(to + static_cast<std::size_t>(x) * unit,
                    column < 0 ? filling.data() : from + static_cast<std::size_t>(column) * unit,
                    unit);
      }
      to += static_cast<std::size_t>(columns_.tile) * unit;
    }
}

} // namespace shoal
