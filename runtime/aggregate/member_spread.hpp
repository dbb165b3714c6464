#pragma once

#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <span>

namespace shoal {

/// How far the members of an ensemble are apart: per element the standard deviation of their values
/// (over all n of them, so of one member 0), each member counting the same.
struct member_spread {
  double mean = 0;           ///< over the elements
  double max = 0;            ///< of any element
  std::int64_t left_out = 0; ///< elements for which some member's value is not finite
};

/// Gathers it, one member after the other, in two float64 per element (Welford 1962).
class spread_meter {
 public:
  result<void> fold(const tensor& values);
  member_spread spread() const;

 private:
  std::int64_t members_ = 0;
  tensor means_, squares_; ///< Σ (x − mean)²
};

} // namespace shoal
