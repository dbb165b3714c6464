#pragma once

#include "kernels/reference/quantized_elementwise.hpp"

namespace shoal::kernels {

using reference::byte_format;

/// As the reference, bit for bit, vectorised along the innermost loop.
void quantized_binary(bool multiply, const loop_nest& nest, const byte_format& fa, const void* a,
                      const byte_format& fb, const void* b, const byte_format& fy, void* y);

} // namespace shoal::kernels
