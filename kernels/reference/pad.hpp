#pragma once

#include "kernels/pad_table.hpp"

#include <cstddef>

namespace shoal::reference {

/// Elements of `size` bytes; `value` is one such element, for constant padding.
void pad(std::size_t size, const pad_tables& tables, const void* in, const void* value, void* out);

} // namespace shoal::reference
