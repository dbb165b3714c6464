#pragma once

#include "runtime/tensor/tensor.hpp"
#include "runtime/tile/tile_plan.hpp"

namespace shoal {

/// Where the crops of an image come from. One thread.
class tile_source {
 public:
  virtual ~tile_source() = default;
  /// The rows and columns of the image, as the model's input wants them.
  virtual result<tensor> read(interval rows, interval columns) = 0;
  /// Rows before this one are not asked for any more.
  virtual void forget_before(std::int64_t /*row*/) {}
};

/// Where the results of tiles go. One thread.
class tile_sink {
 public:
  virtual ~tile_sink() = default;
  /// The elements `rows` and `columns` of output `output`; in `values` they begin at `skip_rows`
  /// and `skip_columns`. Tiles cover every output once, in any order.
  virtual result<void> write(std::size_t output, const tile_yield& rows, const tile_yield& columns,
                             const tensor& values) = 0;
  /// Whether this tile was written before, by a run that did not end.
  virtual bool has(const tile_span& /*rows*/, const tile_span& /*columns*/) const { return false; }
};

/// Copies the part of `from` that begins at (`from_row`, `from_column`) to where `to` has
/// (`to_row`, `to_column`); so many rows and columns. The tensors are plain, of one type, and alike
/// along all other axes.
void copy_window(const tensor& from, std::int64_t from_row, std::int64_t from_column, tensor& to,
                 std::int64_t to_row, std::int64_t to_column, std::int64_t rows,
                 std::int64_t columns, const image_axes& axes);

/// An image in memory.
class tensor_source final : public tile_source {
 public:
  tensor_source(tensor image, const image_axes& axes) : image_(std::move(image)), axes_(axes) {}
  result<tensor> read(interval rows, interval columns) override;

 private:
  tensor image_;
  image_axes axes_;
};

/// Whole outputs in memory.
class tensor_sink final : public tile_sink {
 public:
  /// The plan outlives this.
  static result<tensor_sink> create(const tile_plan& plan);
  result<void> write(std::size_t output, const tile_yield& rows, const tile_yield& columns,
                     const tensor& values) override;
  /// In the model's order; complete when all tiles have been written.
  std::vector<tensor>& outputs() { return outputs_; }

 private:
  explicit tensor_sink(const tile_plan& plan) : plan_(&plan) {}
  const tile_plan* plan_;
  std::vector<tensor> outputs_;
};

} // namespace shoal
