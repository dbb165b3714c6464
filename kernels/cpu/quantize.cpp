#include "kernels/cpu/quantize.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/reference/quantize.hpp"

#include <algorithm>
#include <limits>

namespace shoal::kernels {
namespace {

/// Rounds, halves to even, by adding 1.5 * 2^23; limited first, so that the sum is exact. `low` and
/// `high` are whole numbers, so limiting before rounding is limiting after.
SHOAL_INLINE std::int32_t nearest_within(float x, float low, float high) {
  constexpr float shift = 12582912.0f;
  x = x > low ? x : low;
  x = x < high ? x : high;
  return static_cast<std::int32_t>((x + shift) - shift);
}

template <class T>
SHOAL_INLINE void quantize_run(const float* x, std::int64_t n, float scale, std::int32_t zero,
                               T* y) {
  const auto low = static_cast<float>(std::numeric_limits<T>::min() - zero);
  const auto high = static_cast<float>(std::numeric_limits<T>::max() - zero);
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = static_cast<T>(nearest_within(x[i] / scale, low, high) + zero);
}

SHOAL_MULTIVERSION void quantize(const float* x, std::int64_t n, float scale, std::int32_t zero,
                                 std::uint8_t* y) {
  quantize_run(x, n, scale, zero, y);
}
SHOAL_MULTIVERSION void quantize(const float* x, std::int64_t n, float scale, std::int32_t zero,
                                 std::int8_t* y) {
  quantize_run(x, n, scale, zero, y);
}

template <class T>
SHOAL_INLINE void dequantize_run(const T* x, std::int64_t n, float scale, std::int32_t zero,
                                 float* y) {
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(static_cast<std::int32_t>(x[i]) - zero) * scale;
}

SHOAL_MULTIVERSION void dequantize(const std::uint8_t* x, std::int64_t n, float scale,
                                   std::int32_t zero, float* y) {
  dequantize_run(x, n, scale, zero, y);
}
SHOAL_MULTIVERSION void dequantize(const std::int8_t* x, std::int64_t n, float scale,
                                   std::int32_t zero, float* y) {
  dequantize_run(x, n, scale, zero, y);
}

/// `factor_step` is 0 where all elements have one factor.
template <class T>
SHOAL_INLINE void requantize_run(const std::int32_t* sums, std::int64_t n, const float* factors,
                                 std::int64_t factor_step, std::int32_t zero, T* y) {
  const auto low = static_cast<float>(std::numeric_limits<T>::min() - zero);
  const auto high = static_cast<float>(std::numeric_limits<T>::max() - zero);
  if (factor_step == 0) {
    const float factor = *factors;
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = static_cast<T>(nearest_within(static_cast<float>(sums[i]) * factor, low, high) + zero);
  } else {
    for (std::int64_t i = 0; i < n; ++i)
      y[i] = static_cast<T>(nearest_within(static_cast<float>(sums[i]) * factors[i], low, high) +
                            zero);
  }
}

SHOAL_MULTIVERSION void requantize_to(const std::int32_t* sums, std::int64_t n,
                                      const float* factors, std::int64_t factor_step,
                                      std::int32_t zero, std::uint8_t* y) {
  requantize_run(sums, n, factors, factor_step, zero, y);
}
SHOAL_MULTIVERSION void requantize_to(const std::int32_t* sums, std::int64_t n,
                                      const float* factors, std::int64_t factor_step,
                                      std::int32_t zero, std::int8_t* y) {
  requantize_run(sums, n, factors, factor_step, zero, y);
}

SHOAL_MULTIVERSION void rescale_row(const std::int32_t* sums, std::int64_t n, const float* factors,
                                    const float* bias, float* y) {
  if (bias == nullptr)
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(sums[i]) * factors[i] + 0.0f;
  else
    for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<float>(sums[i]) * factors[i] + bias[i];
}

/// Lanes of their own keep the order of comparisons out of the loop, so that it vectorises.
SHOAL_MULTIVERSION void extremes(const float* x, std::int64_t n, float& low, float& high) {
  constexpr int lanes = 16;
  float least[lanes] = {}, most[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int lane = 0; lane < lanes; ++lane) {
      least[lane] = x[i + lane] < least[lane] ? x[i + lane] : least[lane];
      most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
    }
  for (; i < n; ++i) {
    least[0] = x[i] < least[0] ? x[i] : least[0];
    most[0] = x[i] > most[0] ? x[i] : most[0];
  }
  low = *std::min_element(least, least + lanes);
  high = *std::max_element(most, most + lanes);
}

/// Calls f(first, count, scale index) for runs that share a scale, in pieces for several threads.
template <class F>
void for_each_run(const scale_map& m, F&& f) {
  parallel_pieces(m.outer * m.axis, std::max<std::int64_t>(parallel_threshold / m.inner, 1),
                  [&](std::int64_t first, std::int64_t last) {
                    for (auto row = first; row < last; ++row)
                      f(row * m.inner, m.inner, m.at(row / m.axis, row % m.axis, 0));
                  });
}

/// One scale for all: the tensor as rows that several threads can share.
scale_map in_rows(const scale_map& m) {
  constexpr std::int64_t row = 8192;
  if (m.axis_step != 0 || m.outer_step != 0) return m;
  const auto count = m.outer * m.axis * m.inner;
  if (count <= row) return {.inner = count};
  return {.outer = count / row, .inner = row}; // the caller does the rest
}

template <class F>
void for_all_runs(const scale_map& map, F&& f) {
  const auto rows = in_rows(map);
  if (map.outer * map.axis * map.inner == 0) return;
  for_each_run(rows, f);
  const auto done = rows.outer * rows.axis * rows.inner;
  const auto rest = map.outer * map.axis * map.inner - done;
  if (rest > 0) f(done, rest, 0);
}

} // namespace

bool has_quantize(dtype real, dtype integer, const scale_map& map) {
  return real == dtype::f32 && (integer == dtype::u8 || integer == dtype::i8) &&
         map.inner_step == 0;
}

void quantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                     const view& y, const scale_map& map) {
  visit_bytes(y.type, [&]<class T>(std::type_identity<T>) {
    for_all_runs(map, [&](std::int64_t first, std::int64_t n, std::int64_t s) {
      quantize(x.as<float>() + first, n, scale.as<float>()[s], reference::integer(zero, s),
               y.as<T>() + first);
    });
  });
}

void dequantize_linear(const const_view& x, const const_view& scale, const const_view& zero,
                       const view& y, const scale_map& map) {
  visit_bytes(x.type, [&]<class T>(std::type_identity<T>) {
    for_all_runs(map, [&](std::int64_t first, std::int64_t n, std::int64_t s) {
      dequantize(x.as<T>() + first, n, scale.as<float>()[s], reference::integer(zero, s),
                 y.as<float>() + first);
    });
  });
}

void choose_scale(const float* x, std::int64_t count, float& scale, std::uint8_t& zero) {
  float ends[2];
  extremes(x, count, ends[0], ends[1]);
  reference::choose_scale(ends, 2, scale, zero);
}

void requantize(const std::int32_t* sums, const product_extents& e, const float* factors,
                std::int32_t zero, const view& y) {
  const bool innermost = e.inner == 1;
  const auto row = innermost ? e.channels : e.inner;
  const auto rows = innermost ? e.outer : e.outer * e.channels;
  if (row == 0) return;
  visit_bytes(y.type, [&]<class T>(std::type_identity<T>) {
    parallel_pieces(rows, parallel_threshold / row, [&](std::int64_t first, std::int64_t last) {
      for (auto r = first; r < last; ++r)
        requantize_to(sums + r * row, row, innermost ? factors : factors + r % e.channels,
                      innermost ? 1 : 0, zero, y.as<T>() + r * row);
    });
  });
}

void rescale(const std::int32_t* sums, const product_extents& e, const float* factors,
             const float* bias, float* y) {
  if (e.inner != 1 || e.channels == 0) return reference::rescale(sums, e, factors, bias, y);
  parallel_pieces(
      e.outer, parallel_threshold / e.channels, [&](std::int64_t first, std::int64_t last) {
        for (auto r = first; r < last; ++r)
          rescale_row(sums + r * e.channels, e.channels, factors, bias, y + r * e.channels);
      });
}

} // namespace shoal::kernels
