#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// Every stored element by `convert`; both views have the same extents and layout.
void cast(const const_view& in, const view& out);

} // namespace shoal::reference
