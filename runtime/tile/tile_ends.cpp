#include "runtime/tile/tile_ends.hpp"

#include <cassert>
#include <cstring>

namespace shoal {

void copy_window(const tensor& from, std::int64_t from_row, std::int64_t from_column, tensor& to,
                 std::int64_t to_row, std::int64_t to_column, std::int64_t rows,
                 std::int64_t columns, const image_axes& axes) {
  assert(from.element_type() == to.element_type() && from.dims().rank() == to.dims().rank());
  // Named by their place in memory; which of the two are rows does not matter.
  const bool swapped = axes.rows > axes.columns;
  const int outer_axis = swapped ? axes.columns : axes.rows;
  const int inner_axis = swapped ? axes.rows : axes.columns;
  if (swapped) {
    std::swap(from_row, from_column);
    std::swap(to_row, to_column);
    std::swap(rows, columns);
  }
  const auto &source = from.dims(), &target = to.dims();
  const auto before = source.element_count(0, outer_axis);
  const auto between = source.element_count(outer_axis + 1, inner_axis);
  const auto element = source.element_count(inner_axis + 1, source.rank()) *
                       static_cast<std::int64_t>(size_of(from.element_type()));
  const auto place = [&](const shape& dims, std::int64_t b, std::int64_t row, std::int64_t m,
                         std::int64_t column) {
    return (((b * dims[outer_axis] + row) * between + m) * dims[inner_axis] + column) * element;
  };
  const auto* in = from.bytes().data();
  auto* out = to.mutable_data();
  for (std::int64_t b = 0; b < before; ++b)
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t m = 0; m < between; ++m)
        std::memcpy(out + place(target, b, to_row + r, m, to_column),
                    in + place(source, b, from_row + r, m, from_column),
                    static_cast<std::size_t>(columns * element));
}

result<tensor> tensor_source::read(interval rows, interval columns) {
  auto type = image_.type();
  type.dims[axes_.rows] = rows.last - rows.first + 1;
  type.dims[axes_.columns] = columns.last - columns.first + 1;
  if (type.dims == image_.dims()) return image_;
  SHOAL_TRY(auto crop, tensor::allocate(type));
  copy_window(image_, rows.first, columns.first, crop, 0, 0, type.dims[axes_.rows],
              type.dims[axes_.columns], axes_);
  return crop;
}

result<tensor_sink> tensor_sink::create(const tile_plan& plan) {
  tensor_sink sink(plan);
  for (const auto& type : plan.outputs()) {
    SHOAL_TRY(sink.outputs_.emplace_back(), tensor::allocate(type));
  }
  return sink;
}

result<void> tensor_sink::write(std::size_t output, const tile_yield& rows,
                                const tile_yield& columns, const tensor& values) {
  copy_window(values, rows.skip, columns.skip, outputs_[output], rows.output.first,
              columns.output.first, rows.output.last - rows.output.first + 1,
              columns.output.last - columns.output.first + 1, plan_->output_axes(output));
  return {};
}

} // namespace shoal
