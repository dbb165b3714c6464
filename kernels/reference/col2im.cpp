#include "kernels/reference/col2im.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>

namespace shoal::reference {

void col2im(const const_view& x, const view& y, const window& at, double* sums) {
  const int axes = at.rank();
  const auto pixels = y.dims.element_count(2, y.dims.rank());
  const auto taps = at.kernel.element_count(), places = x.dims[2];
  shape slides = at.kernel;
  for (int a = 0; a < axes; ++a)
    slides[a] = (y.dims[a + 2] + at.pad_begin[a] + at.pad_end[a] - at.reach(a)) / at.stride[a] + 1;
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t plane = 0; plane < y.dims[0] * y.dims[1]; ++plane) {
      std::fill_n(sums, pixels, 0.0);
      for (std::int64_t i = 0; i < taps * places; ++i) {
        auto tap = i / places, place = i % places;
        std::int64_t offset = 0, step = 1;
        bool inside = true;
        for (int a = axes - 1; a >= 0; --a) {
          const auto at_pixel = place % slides[a] * at.stride[a] - at.pad_begin[a] +
                                tap % at.kernel[a] * at.dilation[a];
          inside = inside && at_pixel >= 0 && at_pixel < y.dims[a + 2];
          offset += at_pixel * step;
          step *= y.dims[a + 2];
          tap /= at.kernel[a];
          place /= slides[a];
        }
        if (inside) sums[offset] += static_cast<double>(x.as<T>()[plane * taps * places + i]);
      }
      std::transform(sums, sums + pixels, y.as<T>() + plane * pixels,
                     [](double sum) { return rounded<T>(sum); });
    }
  });
}

} // namespace shoal::reference
