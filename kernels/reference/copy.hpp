#pragma once

#include "kernels/loop_nest.hpp"

#include <cstddef>

namespace shoal::reference {

/// Copies elements of `size` bytes over the operands (from, to) of `nest`: whatever moves elements
/// without looking at them (Transpose, Slice, Concat, ...) is such a copy.
void copy(std::size_t size, const loop_nest& nest, const void* from, void* to);

} // namespace shoal::reference
