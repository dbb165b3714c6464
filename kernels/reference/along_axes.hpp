#pragma once

#include "kernels/loop_nest.hpp"
#include "kernels/view.hpp"

/// Normalisation over any axes of a plain tensor of a floating type: for each position in `kept`,
/// over those in `reduced`; both nests have the one operand x, and y lies as x does. Sums are of
/// doubles.
namespace shoal::reference {

/// (x - mean) / (standard deviation + 1e-9), as ONNX defines it.
void mean_variance_normalization(const loop_nest& kept, const loop_nest& reduced,
                                 const const_view& x, const view& y);

/// x / norm, the norm being the p-th root of the sum of |x|^p; 0 where that is 0.
void lp_normalization(double p, const loop_nest& kept, const loop_nest& reduced,
                      const const_view& x, const view& y);

} // namespace shoal::reference
