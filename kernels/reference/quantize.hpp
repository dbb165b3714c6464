#pragma once

#include "kernels/quantization.hpp"
#include "kernels/view.hpp"

#include <cstddef>
#include <cstdint>

namespace shoal::reference {

/// The real number `x`, in units of the scale, as the nearest of the 8- or 16-bit integers of
/// `type`, halves to the even one, after which the zero point is added; saturates, and NaN becomes
/// the lowest integer. The arithmetic is that of float.
std::int32_t quantized(dtype type, float x, std::int32_t zero);

/// Element `i` of a tensor of quantised integers; 0 for a tensor without data.
std::int32_t integer(const const_view& v, std::int64_t i);

/// y = quantized(x / scale). x is floating or int32, the scales floating, zero points of the type
/// of y or without data.
void quantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                     const view& y, const scale_map& map);

/// y = (x - zero) * scale in float, then rounded to the type of y, which is floating.
void dequantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                       const view& y, const scale_map& map);

/// A scale and zero point that cover the `count` values of x and zero by the 256 values of uint8;
/// scale 1 when all are 0.
void choose_scale(const float* x, std::int64_t count, float& scale, std::uint8_t& zero);

/// Integers minus their zero points, as T (int32 or double): `zero` has one value or, with
/// `channels`, one for each index of the middle axis.
template <class T>
void subtract_zero(const const_view& x, const const_view& zero, const product_extents& e, T* y);

/// y = quantized(sum * factor[channel]), sums and y as [outer, channels, inner].
void requantize(const std::int32_t* sums, const product_extents& e, const float* factors,
                std::int32_t zero, const view& y);

/// y = sum * factor[channel] + bias[channel]; no bias: null.
void rescale(const std::int32_t* sums, const product_extents& e, const float* factors,
             const float* bias, float* y);

} // namespace shoal::reference
