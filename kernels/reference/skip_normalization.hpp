#pragma once

#include <cstdint>

namespace shoal {

/// Layer normalisation of rows of float32, each the sum of up to three: x, a row of `skip` (rows of
/// it are repeated) and a bias. Null where one is absent.
struct skip_normalization {
  std::int64_t rows = 0, width = 0;
  std::int64_t skip_rows = 1;
  double epsilon = 1e-12;
  bool centred = true; ///< false: the root mean square alone, no mean is taken off

  const float* x = nullptr;
  const float* skip = nullptr;
  const float* bias = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  float* y = nullptr;
  float* sum = nullptr;     ///< of the three; where y alone is wanted, the same as y
  float* mean = nullptr;    ///< per row; may be null
  float* inverse = nullptr; ///< per row, of the deviation; may be null
};

} // namespace shoal

namespace shoal::reference {

/// In double.
void normalize(const skip_normalization& p);

} // namespace shoal::reference
