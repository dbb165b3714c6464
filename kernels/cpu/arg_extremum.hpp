#pragma once

#include "kernels/reference/select_along.hpp"

namespace shoal::kernels {

/// As `reference::arg_extremum`, for float, reading whole rows at a time where the axis is not the
/// last. Uses the OpenMP threads of the caller when the work is large.
void arg_extremum(bool largest, bool last, const reference::axis_extents& extents, const float* in,
                  std::int64_t* out);

} // namespace shoal::kernels
