#pragma once

#include "kernels/reference/gather.hpp"

namespace shoal::kernels {

/// As `reference::gather`, on the OpenMP threads of the caller when the work is large.
void gather(const reference::gather_extents& extents, std::size_t size, const void* in,
            const const_view& indices, void* out);

} // namespace shoal::kernels
