#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// out = in, with the first lengths[b] (int64) elements along `time_axis` in reverse order for
/// each index b along `batch_axis`; one of the axes is 0, the other 1. `kernel_error` for a length
/// below 0 or beyond the axis.
void reverse_sequence(int time_axis, const const_view& in, const const_view& lengths,
                      const view& out);

} // namespace shoal::reference
