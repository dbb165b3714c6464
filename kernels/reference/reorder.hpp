#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// Copies `from` to `to`: same element type and extents, any two layouts. Padding of blocked
/// channels is written as zeros.
void reorder(const const_view& from, const view& to);

} // namespace shoal::reference
