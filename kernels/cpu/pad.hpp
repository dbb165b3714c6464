#pragma once

#include "kernels/pad_table.hpp"

#include <cstddef>

namespace shoal::kernels {

/// As `reference::pad`, row by row, for elements of 1, 2, 4 or 8 bytes and at least one axis. Uses
/// the OpenMP threads of the caller when the work is large.
void pad(std::size_t size, const pad_tables& tables, const void* in, const void* value, void* out);

} // namespace shoal::kernels
