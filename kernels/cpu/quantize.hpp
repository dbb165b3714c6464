#pragma once

#include "kernels/quantization.hpp"
#include "kernels/view.hpp"

/// The functions of kernels/reference/quantize.hpp, vectorised and on several threads, bit for bit
/// the same. Real numbers are float32.
namespace shoal::kernels {

/// Whether the two below do these types and this map: 8-bit integers, and neighbours that share a
/// scale or have a scale each.
bool has_quantize(dtype real, dtype integer, const scale_map& map);

void quantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                     const view& y, const scale_map& map);
void dequantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                       const view& y, const scale_map& map);

void choose_scale(const float* x, std::int64_t count, float& scale, std::uint8_t& zero);

/// y holds 8-bit integers.
void requantize(const std::int32_t* sums, const product_extents& e, const float* factors,
                std::int32_t zero, const view& y);
void rescale(const std::int32_t* sums, const product_extents& e, const float* factors,
             const float* bias, float* y);

} // namespace shoal::kernels
