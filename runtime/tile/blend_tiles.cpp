#include "runtime/tile/blend_tiles.hpp"

#include "runtime/aggregate/element_values.hpp"
#include "runtime/base/fail.hpp"

#include <cstring>

namespace shoal {
namespace {

/// Moves the rows of a band up by `count`, and clears what comes free.
void shift_up(tensor& band, std::int64_t count) {
  const auto height = band.dims()[0];
  const auto bytes = band.byte_size() / static_cast<std::size_t>(height);
  const auto gone = static_cast<std::size_t>(std::min(count, height)) * bytes;
  std::memmove(band.mutable_data(), band.mutable_data() + gone, band.byte_size() - gone);
  std::memset(band.mutable_data() + (band.byte_size() - gone), 0, gone);
}

} // namespace

result<tile_blender> tile_blender::make(const overlap_grid& grid, const blend_options& options,
                                        blended_rows rows) {
  tile_blender out;
  SHOAL_TRY(out.rows_, blend_axis::scale(grid.rows(), options.scale));
  SHOAL_TRY(out.columns_, blend_axis::scale(grid.columns(), options.scale));
  if (const auto* map = std::get_if<tensor>(&options.weights)) {
    SHOAL_TRY(out.map_, check_weight_map(*map, out.rows_.tile, out.columns_.tile));
  } else {
    out.shape_ = std::get<blend_shape>(options.weights);
  }
  out.reduction_ = options.reduction;
  out.sink_ = std::move(rows);
  out.count_ = grid.count();
  return out;
}

result<void> tile_blender::check(std::size_t tile, const tensor& values) const {
  if (tile >= count_)
    return fail(errc::invalid_argument, "there is no tile {}; there are {}", tile, count_);
  const auto& dims = values.dims();
  const int rank = dims.rank();
  if (values.format() != layout::plain || rank < 2 || dims[rank - 2] != rows_.tile ||
      dims[rank - 1] != columns_.tile)
    return fail(errc::invalid_argument, "tile {} gave {}, expected [...,{},{}]", tile,
                to_string(values.type()), rows_.tile, columns_.tile);
  if (reduction_ == blend_reduction::argmax && (rank < 3 || dims[rank - 3] == 0))
    return fail(errc::invalid_argument, "tile {} gave {}, which has no channels to choose from",
                tile, to_string(values.type()));
  if (type_ && values.type() != *type_)
    return fail(errc::invalid_argument, "tile {} gave {}, others {}", tile,
                to_string(values.type()), to_string(*type_));
  return {};
}

result<void> tile_blender::begin(const tensor_type& type) {
  type_ = type;
  planes_ = type.dims.element_count(0, type.dims.rank() - 2);
  SHOAL_TRY(sums_, zeros_f64({rows_.tile, planes_, columns_.extent}));
  SHOAL_TRY(weights_, zeros_f64({rows_.tile, columns_.extent}));
  return {};
}

result<void> tile_blender::add(std::size_t tile, tensor values) {
  SHOAL_CHECK(check(tile, values));
  if (!type_) SHOAL_CHECK(begin(values.type()));
  if (tile < next_) return {};
  waiting_.emplace(tile, std::move(values));
  while (!waiting_.empty() && waiting_.begin()->first == next_) {
    const auto one = std::move(waiting_.extract(waiting_.begin()).mapped());
    SHOAL_CHECK(accumulate(next_, one));
  }
  return {};
}

result<void> tile_blender::add_batch(std::size_t first, const tensor& values) {
  if (values.dims().rank() < 3)
    return fail(errc::invalid_argument, "expected tiles along axis 0, got {}",
                to_string(values.type()));
  const auto count = values.dims()[0];
  auto one = values.type();
  one.dims[0] = 1;
  const auto bytes = static_cast<std::size_t>(one.dims.element_count()) * size_of(one.type);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    SHOAL_CHECK(add(first + at, tensor(one, values.bytes_owner(), values.byte_offset() + at * bytes,
                                       values.format())));
  }
  return {};
}

result<void> tile_blender::accumulate(std::size_t tile, const tensor& values) {
  const auto columns = columns_.origins.size();
  const auto row = tile / columns, column = tile % columns;
  const auto height = std::min(rows_.tile, rows_.extent - rows_.origins[row]);
  const auto left = columns_.origins[column];
  const auto width = static_cast<std::size_t>(std::min(columns_.tile, columns_.extent - left));
  std::vector<double> down, across;
  if (map_.empty()) {
    down = rows_.weights(shape_, row);
    across = columns_.weights(shape_, column);
  }
  std::vector<double> line(width), weight(width);
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x)
      weight[x] = map_.empty()
                      ? down[static_cast<std::size_t>(y)] * across[x]
                      : map_.values<double>()[static_cast<std::size_t>(y * columns_.tile) + x];
    auto* total = weights_.mutable_values<double>().data() + y * columns_.extent + left;
    for (std::size_t x = 0; x < width; ++x) total[x] += weight[x];
    for (std::int64_t p = 0; p < planes_; ++p) {
      read_elements(values, (p * rows_.tile + y) * columns_.tile, line);
      auto* sum =
          sums_.mutable_values<double>().data() + (y * planes_ + p) * columns_.extent + left;
      for (std::size_t x = 0; x < width; ++x)
        if (weight[x] > 0) sum[x] += weight[x] * line[x]; // 0 times infinity is NaN
    }
  }
  next_ = tile + 1;
  if (column + 1 < columns) return {};
  const bool last = next_ == count_;
  return hand_on(last ? rows_.extent : std::min(rows_.origins[row + 1], rows_.extent));
}

/// The rows of the band before row `end` are finished.
result<void> tile_blender::hand_on(std::int64_t end) {
  const auto count = end - first_row_;
  SHOAL_TRY(auto rows, tensor::allocate(rows_type(count)));
  if (reduction_ == blend_reduction::argmax)
    fill_classes(rows, count);
  else
    fill(rows, count);
  SHOAL_CHECK(sink_(first_row_, rows));
  first_row_ = end;
  if (finished()) {
    sums_ = weights_ = tensor();
    return {};
  }
  shift_up(sums_, count);
  shift_up(weights_, count);
  return {};
}

tensor_type tile_blender::rows_type(std::int64_t count) const {
  auto type = *type_;
  const int rank = type.dims.rank();
  type.dims[rank - 2] = count;
  type.dims[rank - 1] = columns_.extent;
  if (reduction_ == blend_reduction::none) return type;
  type.type = type.dims[rank - 3] <= 256 ? dtype::u8 : dtype::i32;
  type.dims = without_axis(type.dims, rank - 3);
  return type;
}

void tile_blender::fill(tensor& rows, std::int64_t count) const {
  const auto width = columns_.extent;
  std::vector<double> line(static_cast<std::size_t>(width));
  for (std::int64_t p = 0; p < planes_; ++p)
    for (std::int64_t y = 0; y < count; ++y) {
      const auto* sums = sums_.values<double>().data() + (y * planes_ + p) * width;
      const auto* weights = weights_.values<double>().data() + y * width;
      for (std::size_t x = 0; x < line.size(); ++x) line[x] = sums[x] / weights[x];
      write_elements(line, rows, (p * count + y) * width);
    }
}

void tile_blender::fill_classes(tensor& rows, std::int64_t count) const {
  const auto width = columns_.extent;
  const auto channels = type_->dims[type_->dims.rank() - 3];
  std::vector<double> line(static_cast<std::size_t>(width));
  for (std::int64_t p = 0; p < planes_ / channels; ++p)
    for (std::int64_t y = 0; y < count; ++y) {
      // All channels of a place have the same weight: it need not be divided by.
      const auto* sums = sums_.values<double>().data() + (y * planes_ + p * channels) * width;
      for (std::int64_t x = 0; x < width; ++x)
        line[static_cast<std::size_t>(x)] = static_cast<double>(argmax(sums + x, channels, width));
      write_elements(line, rows, (p * count + y) * width);
    }
}

} // namespace shoal
