#pragma once

#include "kernels/view.hpp"

#include <cstdint>

namespace shoal::kernels {

/// The most pixels whose bytes `quantized_means` can sum.
inline constexpr std::int64_t most_summed_pixels = INT32_MAX / 255;

/// y[n,c], 8-bit integers, = the mean of x[n,c,...] - x_zero, times `ratio`, rounded to even, plus
/// y_zero. x is plain or has its channels last; `sums` has room for its channels.
void quantized_means(const const_view& x, std::int32_t x_zero, double ratio, std::int32_t y_zero,
                     std::int32_t* sums, const view& y);

} // namespace shoal::kernels
