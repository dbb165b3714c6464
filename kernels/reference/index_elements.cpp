#include "kernels/reference/index_elements.hpp"

#include "kernels/reference/binary.hpp"
#include "kernels/reference/gather.hpp"

#include <cstring>

namespace shoal::reference {
namespace {

std::byte* at(void* data, std::int64_t element, std::size_t size) {
  return static_cast<std::byte*>(data) + static_cast<std::size_t>(element) * size;
}

const std::byte* at(const void* data, std::int64_t element, std::size_t size) {
  return static_cast<const std::byte*>(data) + static_cast<std::size_t>(element) * size;
}

/// Offset in a tensor of extents `dims` of the element at position `i` of `indices` with the index
/// along `axis` replaced.
std::int64_t replaced_offset(const shape& dims, int axis, const const_view& indices,
                             std::int64_t i) {
  const auto strides = dims.dense_strides(), own = indices.dims.dense_strides();
  std::int64_t offset = 0;
  for (int a = 0; a < dims.rank(); ++a)
    offset += strides[a] *
              (a == axis ? checked_index(indices, i, dims[a]) : i / own[a] % indices.dims[a]);
  return offset;
}

/// Offset of the slice that row `row` of `indices`, of `depth` entries, stands for, within extents
/// that begin at axis `first`.
std::int64_t slice_offset(const shape& dims, int first, const const_view& indices, std::int64_t row,
                          int depth) {
  const auto strides = dims.dense_strides();
  std::int64_t offset = 0;
  for (int i = 0; i < depth; ++i)
    offset += strides[first + i] * checked_index(indices, row * depth + i, dims[first + i]);
  return offset;
}

/// `count` elements of `from` joined to those of `to`.
void join(scatter_mode mode, dtype type, std::int64_t count, const std::byte* from, std::byte* to) {
  if (mode == scatter_mode::replace) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * size_of(type));
    return;
  }
  const auto f = mode == scatter_mode::add   ? binary_function::add
                 : mode == scatter_mode::mul ? binary_function::mul
                 : mode == scatter_mode::max ? binary_function::max
                                             : binary_function::min;
  loop_nest nest(3);
  nest.push(count, {1, 1, 1});
  binary(f, type, nest, to, from, to);
}

void copy_all(const const_view& in, const view& out) {
  const auto bytes = static_cast<std::size_t>(in.element_count()) * size_of(in.type);
  if (in.data != out.data && bytes > 0) std::memcpy(out.data, in.data, bytes);
}

} // namespace

void gather_elements(int axis, const const_view& in, const const_view& indices, const view& out) {
  const auto size = size_of(in.type);
  for (std::int64_t i = 0; i < indices.element_count(); ++i)
    std::memcpy(at(out.data, i, size),
                at(in.data, replaced_offset(in.dims, axis, indices, i), size), size);
}

void gather_nd(int batch_axes, const const_view& in, const const_view& indices, const view& out) {
  const int rank = indices.dims.rank();
  const int depth = static_cast<int>(indices.dims[rank - 1]);
  const auto batches = in.dims.element_count(0, batch_axes);
  const auto rows = indices.dims.element_count(batch_axes, rank - 1);
  const auto slice = in.dims.element_count(batch_axes + depth, in.dims.rank());
  const auto whole = in.dims.element_count(batch_axes, in.dims.rank());
  const auto size = size_of(in.type);
  for (std::int64_t row = 0; row < batches * rows; ++row) {
    const auto from = row / rows * whole + slice_offset(in.dims, batch_axes, indices, row, depth);
    std::memcpy(at(out.data, row * slice, size), at(in.data, from, size),
                static_cast<std::size_t>(slice) * size);
  }
}

void scatter_elements(scatter_mode mode, int axis, const const_view& in, const const_view& indices,
                      const const_view& updates, const view& out) {
  copy_all(in, out);
  const auto size = size_of(in.type);
  for (std::int64_t i = 0; i < indices.element_count(); ++i)
    join(mode, in.type, 1, at(updates.data, i, size),
         at(out.data, replaced_offset(in.dims, axis, indices, i), size));
}

void scatter_nd(scatter_mode mode, const const_view& in, const const_view& indices,
                const const_view& updates, const view& out) {
  copy_all(in, out);
  const int rank = indices.dims.rank();
  const int depth = static_cast<int>(indices.dims[rank - 1]);
  const auto rows = indices.dims.element_count(0, rank - 1);
  const auto slice = in.dims.element_count(depth, in.dims.rank());
  const auto size = size_of(in.type);
  for (std::int64_t row = 0; row < rows; ++row)
    join(mode, in.type, slice, at(updates.data, row * slice, size),
         at(out.data, slice_offset(in.dims, 0, indices, row, depth), size));
}

} // namespace shoal::reference
