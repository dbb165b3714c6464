#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

// Plain tensors of floating types; sums and quotients are of doubles.

/// y[n,c,i] = scale[c] * (x[n,c,i] - mean[c]) / sqrt(variance[c] + epsilon) + shift[c]. The
/// coefficients may have another floating type than x.
void batch_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                         const const_view& mean, const const_view& variance, const view& y,
                         double epsilon);

/// The same with mean and variance of each x[n,c,...].
void instance_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                            const view& y, double epsilon);

/// The same with mean and variance over `groups` groups of neighbouring channels of each x[n].
/// There is a coefficient per channel or per group.
void group_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                         const view& y, std::int64_t groups, double epsilon);

/// The mean and the variance of every channel over the batch and all places, in `mean` and
/// `variance` [C], which may be of another floating type.
void channel_statistics(const const_view& x, const view& mean, const view& variance);

/// The same with mean and variance over the axes from `axis` on; scale and shift (no data: 0) are
/// broadcast to x. `mean` and `inverse_deviation` get the statistics unless they have no data.
void layer_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                         const view& y, const view& mean, const view& inverse_deviation, int axis,
                         double epsilon);

/// y = x / (bias + alpha / size * sum of squares over `size` neighbouring channels)^beta; of an
/// even size, one more of them lies behind than in front.
void local_response_normalization(const const_view& x, const view& y, std::int64_t size,
                                  double alpha, double beta, double bias);

} // namespace shoal::reference
