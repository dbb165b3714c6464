#pragma once

#include "kernels/reference/packed_weights.hpp"

namespace shoal::kernels {

/// As the reference, in float: a block at a time is unpacked and meets all rows.
void multiply_four_bits(const float* a, std::int64_t rows, const four_bit_weights& w,
                        const float* bias, float* y);

} // namespace shoal::kernels
