#include "kernels/reference/softmax.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal::reference {

void softmax(const const_view& x, const view& y, std::int64_t axis, std::int64_t inner,
             bool logarithm) {
  const auto outer = axis * inner == 0 ? 0 : x.element_count() / (axis * inner);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < outer * inner; ++row) {
      const auto start = row / inner * axis * inner + row % inner;
      const auto at = [&](std::int64_t i) {
        return static_cast<double>(x.as<T>()[start + i * inner]);
      };
      double largest = -std::numeric_limits<double>::infinity(), sum = 0;
      for (std::int64_t i = 0; i < axis; ++i) largest = std::max(largest, at(i));
      for (std::int64_t i = 0; i < axis; ++i) sum += std::exp(at(i) - largest);
      for (std::int64_t i = 0; i < axis; ++i)
        y.as<T>()[start + i * inner] = rounded<T>(logarithm ? at(i) - largest - std::log(sum)
                                                            : std::exp(at(i) - largest) / sum);
    }
  });
}

void hardmax(const const_view& x, const view& y, std::int64_t axis, std::int64_t inner) {
  const auto outer = axis * inner == 0 ? 0 : x.element_count() / (axis * inner);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < outer * inner; ++row) {
      const auto start = row / inner * axis * inner + row % inner;
      std::int64_t best = 0;
      for (std::int64_t i = 0; i < axis; ++i) {
        if (x.as<T>()[start + i * inner] > x.as<T>()[start + best * inner]) best = i;
        y.as<T>()[start + i * inner] = T(0.0f);
      }
      y.as<T>()[start + best * inner] = T(1.0f);
    }
  });
}

} // namespace shoal::reference
