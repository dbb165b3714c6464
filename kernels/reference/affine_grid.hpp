#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// grid[n,o...,:] = theta[n] (o, 1), for GridSample: theta is [N,A,A + 1] with 2 or 3 axes A, whose
/// coordinates run from -1 to 1 and come from last to first. With `align_corners` those are the
/// centres of the outermost elements, else their edges. Floating types, plain.
void affine_grid(bool align_corners, const const_view& theta, const view& grid);

} // namespace shoal::reference
