#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// Input elements [outer][axis][inner], of which those at `indices` along the axis are taken:
/// out[o][i][k] = in[o][indices[i]][k]. Negative indices count from the end. Indices are of int32
/// or int64; `kernel_error` when one is out of range.
struct gather_extents {
  std::int64_t outer, axis, inner;
};
void gather(const gather_extents& extents, std::size_t size, const void* in,
            const const_view& indices, void* out);

/// Element `i` of an int32 or int64 tensor.
std::int64_t index_at(const const_view& indices, std::int64_t i);

/// Element `i` of `indices`, counted from the start of an axis of `extent`; `kernel_error` when it
/// lies outside.
std::int64_t checked_index(const const_view& indices, std::int64_t i, std::int64_t extent);

} // namespace shoal::reference
