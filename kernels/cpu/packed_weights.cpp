#include "kernels/cpu/packed_weights.hpp"

#include "kernels/cpu/dot.hpp"
#include "kernels/cpu/parallel.hpp"

#include <algorithm>

namespace shoal::kernels {
namespace {

constexpr std::int64_t largest_piece = 256; ///< weights that are unpacked at a time

SHOAL_INLINE void unpack(const std::uint8_t* pairs, std::int64_t n, float zero, float scale,
                         float* weights) {
  for (std::int64_t i = 0; i < n / 2; ++i) {
    weights[2 * i] = (static_cast<float>(pairs[i] & 15) - zero) * scale;
    weights[2 * i + 1] = (static_cast<float>(pairs[i] >> 4) - zero) * scale;
  }
  if (n % 2 != 0) weights[n - 1] = (static_cast<float>(pairs[n / 2] & 15) - zero) * scale;
}

SHOAL_MULTIVERSION void column(const float* a, std::int64_t rows, const four_bit_weights& w,
                               std::int64_t c, float start, float* y) {
  alignas(64) float weights[largest_piece];
  for (std::int64_t r = 0; r < rows; ++r) y[r * w.columns + c] = start;
  const auto* data = w.data + c * w.blocks() * (w.block / 2);
  for (std::int64_t at = 0; at < w.blocks(); ++at) {
    const auto end = std::min(w.length, (at + 1) * w.block);
    for (auto k = at * w.block; k < end; k += largest_piece) {
      const auto n = std::min(largest_piece, end - k);
      unpack(data + k / 2, n, w.zero_of(c, at), w.scales[c * w.blocks() + at], weights);
      for (std::int64_t r = 0; r < rows; ++r)
        y[r * w.columns + c] += dot(a + r * w.length + k, weights, n);
    }
  }
}

} // namespace

void multiply_four_bits(const float* a, std::int64_t rows, const four_bit_weights& w,
                        const float* bias, float* y) {
  parallel_pieces(w.columns, parallel_threshold / ((rows + 1) * (w.length + 1)),
                  [&](std::int64_t first, std::int64_t last) {
                    for (auto c = first; c < last; ++c)
                      column(a, rows, w, c, bias == nullptr ? 0.0f : bias[c], y);
                  });
}

} // namespace shoal::kernels
