#pragma once

#include "kernels/kernel.hpp"
#include "kernels/reference/deformable_convolution.hpp"

#include <memory>

namespace shoal::kernels {

/// Deformable convolution of float32: what every tap sees is gathered once, image by image, for one
/// matrix product with the weights. `x`, `weights` and `y` are the extents of operands 0, 1 and of
/// the output. Null when there is nothing to multiply.
std::unique_ptr<kernel> make_deformable_convolution(const reference::deformable_problem& p,
                                                    const shape& x, const shape& weights,
                                                    const shape& y, int threads);

} // namespace shoal::kernels
