#pragma once

#include "kernels/kernel.hpp"
#include "kernels/window.hpp"

namespace shoal::reference {

/// A convolution over two axes whose taps are moved, at every place, by an offset of their own.
struct deformable_problem {
  window at;
  std::int64_t groups = 1;        ///< of channels, as in any convolution
  std::int64_t offset_groups = 1; ///< of input channels that share offsets and mask
};

/// Inputs: X [N,C,H,W]; weights [M,C/groups,kh,kw]; offsets [N,offset_groups kh kw 2,oh,ow], of y
/// then x for each tap; bias [M] and mask [N,offset_groups kh kw,oh,ow], factors of the taps, which
/// may have no data. Between elements X is interpolated linearly, outside it is 0. Any floating
/// type, computed in double.
void deformable_convolution(const deformable_problem& p, const kernel_io& io);

} // namespace shoal::reference
