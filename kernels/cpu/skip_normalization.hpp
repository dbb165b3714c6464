#pragma once

#include "kernels/reference/skip_normalization.hpp"

namespace shoal::kernels {

/// As the reference, in float, with sums in several lanes.
void normalize(const skip_normalization& p);

} // namespace shoal::kernels
