#include "kernels/reference/determinant.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::reference {
namespace {

/// Destroys the matrix `m`.
double eliminate(double* m, std::int64_t n) {
  double product = 1;
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t pivot = k;
    for (auto row = k + 1; row < n; ++row)
      if (std::fabs(m[row * n + k]) > std::fabs(m[pivot * n + k])) pivot = row;
    if (pivot != k) {
      std::swap_ranges(m + k * n, m + (k + 1) * n, m + pivot * n);
      product = -product;
    }
    product *= m[k * n + k];
    if (m[k * n + k] == 0) return product;
    for (auto row = k + 1; row < n; ++row) {
      const double factor = m[row * n + k] / m[k * n + k];
      for (auto column = k; column < n; ++column) m[row * n + column] -= factor * m[k * n + column];
    }
  }
  return product;
}

} // namespace

void determinant(const const_view& x, const view& y, double* scratch) {
  const auto n = x.dims[x.dims.rank() - 1];
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < y.element_count(); ++i) {
      const T* from = x.as<T>() + i * n * n;
      std::transform(from, from + n * n, scratch, [](T v) { return static_cast<double>(v); });
      y.as<T>()[i] = rounded<T>(eliminate(scratch, n));
    }
  });
}

} // namespace shoal::reference
