#pragma once

#include <cstdint>

namespace shoal {

/// Weights of 4 bits, [columns,length], in blocks along the length: two to a byte, the first in the
/// lower half. Each block has a scale and a zero point.
struct four_bit_weights {
  std::int64_t columns = 0, length = 0, block = 32;
  const std::uint8_t* data = nullptr;
  const float* scales = nullptr;
  const std::uint8_t* packed_zeros = nullptr; ///< 4 bits each, rows in whole bytes; null: 8
  const float* zeros = nullptr;               ///< instead of those

  std::int64_t blocks() const { return (length + block - 1) / block; }
  float zero_of(std::int64_t column, std::int64_t at) const {
    if (zeros != nullptr) return zeros[column * blocks() + at];
    if (packed_zeros == nullptr) return 8;
    const auto pair = packed_zeros[column * ((blocks() + 1) / 2) + at / 2];
    return static_cast<float>(at % 2 == 0 ? pair & 15 : pair >> 4);
  }
};

} // namespace shoal

namespace shoal::reference {

/// y[r,c] = sum over k of a[r,k] * (w[c,k] - zero) * scale, plus bias[c] unless it is null.
void multiply_four_bits(const float* a, std::int64_t rows, const four_bit_weights& w,
                        const float* bias, float* y);

} // namespace shoal::reference
