#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

struct roi_align_rule {
  bool takes_max = false;   ///< of the samples of a bin; else their mean
  bool half_pixel = true;   ///< coordinates of pixels are those of their centres, less 1/2
  std::int64_t samples = 0; ///< per axis and bin; 0: as many as a bin has pixels, rounded up
  double scale = 1;         ///< from the regions' coordinates to those of x
};

/// y[r,c,h,w]: region r of image batch[r] of x [N,C,H,W] in bins, each from bilinear samples at
/// even distances (He et al., "Mask R-CNN", 2017). `regions` [R,4] are x1, y1, x2, y2; `batch` is
/// int64. Floating types, plain. With `takes_max` it is the largest of the four weighted
/// neighbours of all samples, as ONNX has it. `kernel_error` for an image that is not there and for
/// regions beyond all measure.
void roi_align(const roi_align_rule& rule, const const_view& x, const const_view& regions,
               const const_view& batch, const view& y);

} // namespace shoal::reference
