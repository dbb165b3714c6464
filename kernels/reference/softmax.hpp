#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// exp(x - max) / sum of those, or the logarithm of it, along the middle axis of x seen as
/// [outer,axis,inner]. Plain, floating types, computed in double.
void softmax(const const_view& x, const view& y, std::int64_t axis, std::int64_t inner,
             bool logarithm);

/// 1 where x is largest along the middle axis, the first time, 0 elsewhere. Floating types.
void hardmax(const const_view& x, const view& y, std::int64_t axis, std::int64_t inner);

} // namespace shoal::reference
