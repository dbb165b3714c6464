#include "kernels/reference/skip_normalization.hpp"

#include <cmath>

namespace shoal::reference {

void normalize(const skip_normalization& p) {
  for (std::int64_t r = 0; r < p.rows; ++r) {
    auto *sum = p.sum + r * p.width, *y = p.y + r * p.width;
    double total = 0, squares = 0;
    for (std::int64_t i = 0; i < p.width; ++i) {
      double value = static_cast<double>(p.x[r * p.width + i]);
      if (p.skip != nullptr) value += static_cast<double>(p.skip[r % p.skip_rows * p.width + i]);
      if (p.bias != nullptr) value += static_cast<double>(p.bias[i]);
      sum[i] = static_cast<float>(value);
      total += static_cast<double>(sum[i]);
    }
    const double mean = p.centred ? total / static_cast<double>(p.width) : 0;
    for (std::int64_t i = 0; i < p.width; ++i)
      squares += std::pow(static_cast<double>(sum[i]) - mean, 2);
    const double inverse = 1 / std::sqrt(squares / static_cast<double>(p.width) + p.epsilon);
    for (std::int64_t i = 0; i < p.width; ++i)
      y[i] = static_cast<float>((static_cast<double>(sum[i]) - mean) * inverse *
                                    static_cast<double>(p.scale[i]) +
                                (p.shift == nullptr ? 0 : static_cast<double>(p.shift[i])));
    if (p.mean != nullptr) p.mean[r] = static_cast<float>(mean);
    if (p.inverse != nullptr) p.inverse[r] = static_cast<float>(inverse);
  }
}

} // namespace shoal::reference
