#include "kernels/reference/packed_weights.hpp"

namespace shoal::reference {

void multiply_four_bits(const float* a, std::int64_t rows, const four_bit_weights& w,
                        const float* bias, float* y) {
  const auto bytes = w.blocks() * (w.block / 2);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < w.columns; ++c) {
      double sum = bias == nullptr ? 0 : static_cast<double>(bias[c]);
      for (std::int64_t k = 0; k < w.length; ++k) {
        const auto pair = w.data[c * bytes + k / 2];
        const auto q = static_cast<float>(k % 2 == 0 ? pair & 15 : pair >> 4);
        const auto at = k / w.block;
        const float weight = (q - w.zero_of(c, at)) * w.scales[c * w.blocks() + at];
        sum += static_cast<double>(a[r * w.length + k]) * static_cast<double>(weight);
      }
      y[r * w.columns + c] = static_cast<float>(sum);
    }
}

} // namespace shoal::reference
