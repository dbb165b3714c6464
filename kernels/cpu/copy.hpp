#pragma once

#include "kernels/loop_nest.hpp"

#include <cstddef>

namespace shoal::kernels {

/// Copies elements of `size` bytes (1, 2, 4 or 8) over the operands (from, to) of `nest`, merged.
/// Runs of neighbours go as blocks of memory; a transposition goes in tiles that fit the cache. The
/// elements written are distinct. Uses the OpenMP threads of the caller when the work is large.
void copy(std::size_t size, const loop_nest& nest, const void* from, void* to);

} // namespace shoal::kernels
