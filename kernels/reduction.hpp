#pragma once

#include <cstdint>

namespace shoal {

/// Ways to make one value of many.
enum class reduction : std::uint8_t {
  sum,
  mean,
  max, ///< NaN if any is; of nothing: the smallest value of the type
  min,
  prod,
  l1,          ///< sum of magnitudes
  l2,          ///< root of the sum of squares
  log_sum,     ///< ln of the sum
  log_sum_exp, ///< ln of the sum of e^x, without overflow
  sum_square
};

} // namespace shoal
