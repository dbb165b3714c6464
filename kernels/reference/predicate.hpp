#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// Questions about one element of a floating type, answered in bool. All tensors are plain.
void is_nan(const const_view& in, bool* out);
/// Whether an element is infinite with one of the signs asked for.
void is_infinite(const const_view& in, bool negative, bool positive, bool* out);
/// Works in place.
void logical_not(const bool* in, std::int64_t count, bool* out);

} // namespace shoal::reference
