#include "kernels/loop_nest.hpp"

#include <algorithm>

namespace shoal {

void loop_nest::push(std::int64_t extent, std::initializer_list<std::int64_t> strides) {
  std::array<std::int64_t, max_operands> all{};
  std::copy(strides.begin(), strides.end(), all.begin());
  push(extent, all);
}

void loop_nest::push(std::int64_t extent, const std::array<std::int64_t, max_operands>& strides) {
  assert(depth_ < max_depth);
  extents_[static_cast<std::size_t>(depth_)] = extent;
  strides_[static_cast<std::size_t>(depth_)] = strides;
  ++depth_;
}

void loop_nest::merge() {
  const loop_nest before = *this;
  depth_ = 0;
  for (std::size_t loop = 0; loop < static_cast<std::size_t>(before.depth_); ++loop) {
    const auto extent = before.extents_[loop];
    if (extent == 1) continue;
    if (depth_ > 0) {
      const auto outer = static_cast<std::size_t>(depth_ - 1);
      bool fits = true;
      for (std::size_t i = 0; i < static_cast<std::size_t>(operands_); ++i)
        fits = fits && strides_[outer][i] == before.strides_[loop][i] * extent;
      if (fits) {
        extents_[outer] *= extent;
        strides_[outer] = before.strides_[loop];
        continue;
      }
    }
    push(extent, before.strides_[loop]);
  }
  if (depth_ == 0) push(1, {0, 0, 0, 0});
}

std::int64_t loop_nest::iterations(int first, int last) const {
  std::int64_t n = 1;
  for (int loop = first; loop < last; ++loop) n *= extent(loop);
  return n;
}

loop_position::loop_position(const loop_nest& nest, int depth, std::int64_t index)
    : nest_(nest), depth_(depth) {
  for (int loop = depth - 1; loop >= 0 && index > 0; --loop) {
    const auto at = index % nest.extent(loop);
    index /= nest.extent(loop);
    index_[static_cast<std::size_t>(loop)] = at;
    for (int i = 0; i < nest.operands(); ++i)
      offsets_[static_cast<std::size_t>(i)] += at * nest.stride(i, loop);
  }
}

void loop_position::next() {
  for (int loop = depth_ - 1; loop >= 0; --loop) {
    auto& at = index_[static_cast<std::size_t>(loop)];
    const bool wraps = ++at == nest_.extent(loop);
    const auto steps = wraps ? 1 - nest_.extent(loop) : 1;
    for (int i = 0; i < nest_.operands(); ++i)
      offsets_[static_cast<std::size_t>(i)] += steps * nest_.stride(i, loop);
    if (!wraps) return;
    at = 0;
  }
}

shape broadcast_strides(const shape& dims, const shape& target) {
  assert(dims.rank() <= target.rank());
  shape strides = shape::filled(target.rank(), 0);
  const auto dense = dims.dense_strides();
  for (int axis = 0; axis < dims.rank(); ++axis)
    if (dims[axis] != 1) strides[target.rank() - dims.rank() + axis] = dense[axis];
  return strides;
}

} // namespace shoal
