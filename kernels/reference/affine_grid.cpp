#include "kernels/reference/affine_grid.hpp"

#include "kernels/reference/floating.hpp"

#include <array>

namespace shoal::reference {

void affine_grid(bool align_corners, const const_view& theta, const view& grid) {
  const int axes = grid.dims.rank() - 2;
  const auto places = grid.dims.element_count(1, axes + 1);
  const auto coordinate = [&](std::int64_t i, std::int64_t extent) -> double {
    const auto n = static_cast<double>(extent), at = static_cast<double>(i);
    if (align_corners) return extent == 1 ? 0 : 2 * at / (n - 1) - 1;
    return (2 * at + 1) / n - 1;
  };
  visit_floating(theta.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < grid.dims[0] * places; ++i) {
      std::array<double, 4> place{}; // last axis first, then the 1
      auto rest = i % places;
      for (int a = 0; a < axes; ++a) {
        const auto extent = grid.dims[axes - a];
        place[static_cast<std::size_t>(a)] = coordinate(rest % extent, extent);
        rest /= extent;
      }
      place[static_cast<std::size_t>(axes)] = 1;
      for (int row = 0; row < axes; ++row) {
        const T* factors = theta.as<T>() + (i / places * axes + row) * (axes + 1);
        double sum = 0;
        for (int a = 0; a <= axes; ++a)
          sum += static_cast<double>(factors[a]) * place[static_cast<std::size_t>(a)];
        grid.as<T>()[i * axes + row] = rounded<T>(sum);
      }
    }
  });
}

} // namespace shoal::reference
