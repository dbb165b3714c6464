#include "kernels/broadcast.hpp"

namespace shoal {
namespace {

std::int64_t block_of(layout format) {
  return format == layout::blocked_8 ? 8 : format == layout::blocked_16 ? 16 : 1;
}

/// The extents of `dims`, aligned on the right of a result of `rank` axes.
shape aligned(const shape& dims, int rank) {
  shape out = shape::filled(rank - dims.rank(), 1);
  for (const auto extent : dims) out.push_back(extent);
  return out;
}

struct physical_axes {
  std::array<std::int64_t, loop_nest::max_depth> extents{};
  int count = 0;
  void push(std::int64_t extent) { extents[static_cast<std::size_t>(count++)] = extent; }
};

/// The extents of a tensor in the order in which they lie in memory. `channels` split in blocks;
/// a single channel stays one block of one.
physical_axes in_memory_order(const shape& dims, layout format) {
  physical_axes axes;
  if (format == layout::plain) {
    for (const auto extent : dims) axes.push(extent);
    return axes;
  }
  const auto channels = dims[1], block = channels == 1 ? 1 : block_of(format);
  axes.push(dims[0]);
  if (format != layout::channels_last) axes.push(channels / block);
  for (int axis = 2; axis < dims.rank(); ++axis) axes.push(dims[axis]);
  axes.push(format == layout::channels_last ? channels : block);
  return axes;
}

} // namespace

bool broadcasts_in(const shape& dims, const shape& out, layout format) {
  if (format == layout::plain) return true;
  if (out.rank() < 2 || out[1] < 2 || out[1] % block_of(format) != 0) return false;
  if (dims == out || dims.element_count() == 1) return true;
  const auto own = aligned(dims, out.rank());
  if (own[1] != out[1] || (own[0] != 1 && own[0] != out[0])) return false;
  return own.element_count(2, own.rank()) == 1;
}

loop_nest broadcast_nest(std::span<const shape> inputs, const shape& out, layout format) {
  const auto target = in_memory_order(out, format);
  std::array<physical_axes, loop_nest::max_operands> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i)
    operands[i] = in_memory_order(aligned(inputs[i], out.rank()), format);
  operands[inputs.size()] = target;
  std::array<std::array<std::int64_t, loop_nest::max_operands>, loop_nest::max_depth> strides{};
  for (std::size_t i = 0; i <= inputs.size(); ++i) {
    std::int64_t step = 1;
    for (int axis = target.count - 1; axis >= 0; --axis) {
      const auto a = static_cast<std::size_t>(axis);
      strides[a][i] = operands[i].extents[a] == 1 ? 0 : step;
      step *= operands[i].extents[a];
    }
  }
  loop_nest nest(static_cast<int>(inputs.size()) + 1);
  for (std::size_t axis = 0; axis < static_cast<std::size_t>(target.count); ++axis)
    nest.push(target.extents[axis], strides[axis]);
  nest.merge();
  return nest;
}

} // namespace shoal
