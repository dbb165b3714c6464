#pragma once

#include "kernels/cpu/simd.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

/// Elementary functions in single precision, written without branches or tables so that a loop over
/// them vectorises. All propagate NaN and give the same bits on every instruction set. The
/// polynomials are the functions' own Taylor series where those converge fast enough, and fitted
/// otherwise; tests/kernels/math_test.cpp holds them to the errors stated, against
/// double precision.
namespace shoal::kernels::math {

/// c0 + x (c1 + x (c2 + ...)).
SHOAL_INLINE float polynomial(float, float c0) {
  return c0;
}
template <class... Rest>
SHOAL_INLINE float polynomial(float x, float c0, Rest... rest) {
  return polynomial(x, rest...) * x + c0;
}

/// The product x * 2^k in two steps, so that results may be denormal or infinite.
SHOAL_INLINE float scale(float x, std::uint32_t k) {
  const auto low = static_cast<std::uint32_t>(static_cast<std::int32_t>(k) >> 1);
  return x * std::bit_cast<float>((low + 127u) << 23) *
         std::bit_cast<float>((k - low + 127u) << 23);
}

/// e^r for |r| <= ln(2) / 2, by Taylor's series.
SHOAL_INLINE float exp_of_fraction(float r) {
  return polynomial(r, 1.0f, 1.0f, 1.0f / 2, 1.0f / 6, 1.0f / 24, 1.0f / 120, 1.0f / 720,
                    1.0f / 5040);
}

/// e^x: 2^k e^r with |r| <= ln(2) / 2 (Cody and Waite's reduction). Relative error below 1.5e-7.
SHOAL_INLINE float exp(float x) {
  x = x < -104.0f ? -104.0f : x;
  x = x > 89.0f ? 89.0f : x;
  constexpr float shift = 12582912.0f; // 1.5 * 2^23: adding it rounds to an integer
  const float t = x * 1.44269504f + shift;
  const float k = t - shift;
  // ln 2 in two parts, the first with so few bits that its product with k is exact.
  const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  return scale(exp_of_fraction(r),
               std::bit_cast<std::uint32_t>(t) - std::bit_cast<std::uint32_t>(shift));
}

/// The same for x <= 0, as a softmax needs it, but for results too small to be normal: 0.
SHOAL_INLINE float exp_of_negative(float x) {
  x = x < -88.0f ? -88.0f : x; // k is -127 there, which makes the power of 2 below 0
  constexpr float shift = 12582912.0f + 127.0f;
  const float t = x * 1.44269504f + shift;
  const float k = t - shift;
  const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  return exp_of_fraction(r) * std::bit_cast<float>(std::bit_cast<std::uint32_t>(t) << 23);
}

/// Lambert's continued fraction of tanh, cut off where it is exact to 1e-9 for |x| <= 1.
SHOAL_INLINE float small_tanh(float x) {
  const float z = x * x;
  return x * polynomial(z, 135135.0f, 17325.0f, 378.0f, 1.0f) /
         polynomial(z, 135135.0f, 62370.0f, 3150.0f, 28.0f);
}

/// Relative error below 3e-7.
SHOAL_INLINE float tanh(float x) {
  const float magnitude = std::fabs(x);
  const float large = std::copysign(1.0f - 2.0f / (exp(2.0f * magnitude) + 1.0f), x);
  const float small = small_tanh(x);
  return magnitude > 0.625f ? large : x != x ? x : small;
}

/// Relative error below 3e-7 above -87.
SHOAL_INLINE float sigmoid(float x) {
  return 1.0f / (1.0f + exp(-x));
}

/// e^x - 1 for x <= 0, by 2 t / (1 - t), t = tanh(x / 2). Relative error below 4e-7.
SHOAL_INLINE float expm1_of_negative(float x) {
  const float t = small_tanh(0.5f * x);
  return x > -1.0f ? 2.0f * t / (1.0f - t) : exp(x) - 1.0f;
}

/// The best rational approximation of erf(x) / x in x^2 on [0, 3.92]; beyond that erf is 1 in
/// single precision, and so is what this gives for 3.92. Relative error below 4e-7.
SHOAL_INLINE float erf(float x) {
  constexpr float end = 3.92f;
  x = x < -end ? -end : x;
  x = x > end ? end : x;
  const float z = x * x;
  const float y = x *
                  polynomial(z, 1.12837911f, 0.190407634f, 0.0527488776f, 0.00376566593f,
                             0.000284883514f, 2.05007473e-06f) /
                  polynomial(z, 1.0f, 0.502077103f, 0.114109598f, 0.0149693163f, 0.00116254669f,
                             3.80916281e-05f);
  return y < -1.0f ? -1.0f : y > 1.0f ? 1.0f : y;
}

/// 2 atanh(s) for |s| <= 1/3: the series of ln((1 + s) / (1 - s)).
SHOAL_INLINE float twice_atanh(float s) {
  const float z = s * s;
  return 2.0f * s *
         polynomial(z, 1.0f, 1.0f / 3, 1.0f / 5, 1.0f / 7, 1.0f / 9, 1.0f / 11, 1.0f / 13,
                    1.0f / 15);
}

/// ln(1 + x) for 0 <= x <= 1. Relative error below 3e-7.
SHOAL_INLINE float log1p_of_fraction(float x) {
  return twice_atanh(x / (2.0f + x));
}

/// ln x: k ln 2 + ln m with sqrt(1/2) <= m < sqrt 2. NaN below 0, minus infinity at 0. Relative
/// error below 3e-7, denormal arguments included.
SHOAL_INLINE float log(float x) {
  const bool tiny = x < 1.17549435e-38f;
  const float normal = tiny ? x * 8388608.0f : x;
  const auto bits = std::bit_cast<std::uint32_t>(normal);
  const std::uint32_t above = bits - 0x3f3504f3u; // from sqrt(1/2) on
  const auto k = static_cast<std::int32_t>(above) >> 23;
  const float m = std::bit_cast<float>((above & 0x7fffffu) + 0x3f3504f3u);
  const float e = static_cast<float>(k) - (tiny ? 23.0f : 0.0f);
  const float y = (twice_atanh((m - 1.0f) / (m + 1.0f)) + e * -2.12194440e-4f) + e * 0.693359375f;
  const float infinite = std::bit_cast<float>(0x7f800000u);
  const float nan = std::bit_cast<float>(0x7fc00000u);
  const float positive = x == infinite ? x : y;
  return x > 0.0f ? positive : (x == 0.0f ? -infinite : nan);
}

} // namespace shoal::kernels::math
