#include "kernels/reference/quantize.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal::reference {
namespace {

float real(const const_view& v, std::int64_t i) {
  if (!is_floating(v.type)) return static_cast<float>(integer(v, i));
  return static_cast<float>(element(v, i));
}

/// Calls f(index, scale index) for every element.
template <class F>
void for_each(const scale_map& m, F&& f) {
  std::int64_t index = 0;
  for (std::int64_t o = 0; o < m.outer; ++o)
    for (std::int64_t a = 0; a < m.axis; ++a)
      for (std::int64_t i = 0; i < m.inner; ++i) f(index++, m.at(o, a, i));
}

} // namespace

std::int32_t quantized(dtype type, float x, std::int32_t zero) {
  std::int32_t y = 0;
  visit_quantized(type, [&]<class T>(std::type_identity<T>) {
    const auto low = static_cast<float>(std::numeric_limits<T>::min());
    const auto high = static_cast<float>(std::numeric_limits<T>::max());
    const float moved = std::nearbyint(x) + static_cast<float>(zero);
    y = static_cast<std::int32_t>(moved > low ? std::min(moved, high) : low);
  });
  return y;
}

std::int32_t integer(const const_view& v, std::int64_t i) {
  std::int32_t out = 0;
  if (v.data == nullptr) return out;
  visit_quantized(v.type, [&]<class T>(std::type_identity<T>) { out = v.as<T>()[i]; });
  return out;
}

void quantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                     const view& y, const scale_map& map) {
  visit_quantized(y.type, [&]<class T>(std::type_identity<T>) {
    for_each(map, [&](std::int64_t i, std::int64_t s) {
      y.as<T>()[i] =
          static_cast<T>(quantized(y.type, real(x, i) / real(scale, s), integer(zero, s)));
    });
  });
}

void dequantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                       const view& y, const scale_map& map) {
  visit_floating(y.type, [&]<class T>(std::type_identity<T>) {
    for_each(map, [&](std::int64_t i, std::int64_t s) {
      const auto steps = std::int64_t{integer(x, i)} - integer(zero, s);
      const float product = static_cast<float>(steps) * real(scale, s);
      y.as<T>()[i] = rounded<T>(static_cast<double>(product));
    });
  });
}

void choose_scale(const float* x, std::int64_t count, float& scale, std::uint8_t& zero) {
  float low = 0, high = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (x[i] < low) low = x[i];
    if (x[i] > high) high = x[i];
  }
  scale = high == low ? 1.0f : (high - low) / 255.0f;
  zero = static_cast<std::uint8_t>(quantized(dtype::u8, -low / scale, 0));
}

template <class T>
void subtract_zero(const const_view& x, const const_view& zero, const product_extents& e, T* y) {
  const bool per_channel = zero.data != nullptr && zero.element_count() > 1;
  std::int64_t index = 0;
  for (std::int64_t o = 0; o < e.outer; ++o)
    for (std::int64_t c = 0; c < e.channels; ++c)
      for (std::int64_t i = 0; i < e.inner; ++i, ++index)
        y[index] = static_cast<T>(integer(x, index) - integer(zero, per_channel ? c : 0));
}

template void subtract_zero(const const_view&, const const_view&, const product_extents&,
                            std::int32_t*);
template void subtract_zero(const const_view&, const const_view&, const product_extents&, double*);

void requantize(const std::int32_t* sums, const product_extents& e, const float* factors,
                std::int32_t zero, const view& y) {
  visit_quantized(y.type, [&]<class T>(std::type_identity<T>) {
    std::int64_t index = 0;
    for (std::int64_t o = 0; o < e.outer; ++o)
      for (std::int64_t c = 0; c < e.channels; ++c)
        for (std::int64_t i = 0; i < e.inner; ++i, ++index)
          y.as<T>()[index] =
              static_cast<T>(quantized(y.type, static_cast<float>(sums[index]) * factors[c], zero));
  });
}

void rescale(const std::int32_t* sums, const product_extents& e, const float* factors,
             const float* bias, float* y) {
  std::int64_t index = 0;
  for (std::int64_t o = 0; o < e.outer; ++o)
    for (std::int64_t c = 0; c < e.channels; ++c)
      for (std::int64_t i = 0; i < e.inner; ++i, ++index)
        y[index] =
            static_cast<float>(sums[index]) * factors[c] + (bias == nullptr ? 0.0f : bias[c]);
}

} // namespace shoal::reference
