#include "kernels/reference/fourier.hpp"

#include "kernels/reference/floating.hpp"

#include <cmath>
#include <complex>
#include <numbers>

namespace shoal::reference {
namespace {

/// One signal: where it starts, and its window, if any.
template <class T>
struct signal {
  const T* from;
  const T* window;

  std::complex<double> operator()(const fourier_problem& p, std::int64_t j) const {
    if (p.mirrored && j > p.length / 2) return std::conj((*this)(p, p.length - j));
    if (j >= p.given) return 0;
    const T* at = from + j * p.source.element;
    std::complex<double> x(static_cast<double>(at[0]),
                           p.complex_in ? static_cast<double>(at[1]) : 0);
    if (p.mirrored && (j == 0 || 2 * j == p.length)) x = x.real();
    return window == nullptr ? x : x * static_cast<double>(window[j]);
  }
};

template <class T>
void transform(const fourier_problem& p, const signal<T>& x, T* to) {
  const double turn = (p.inverse ? 2 : -2) * std::numbers::pi / static_cast<double>(p.length);
  for (std::int64_t k = 0; k < p.kept; ++k) {
    std::complex<double> sum = 0;
    for (std::int64_t j = 0; j < p.length; ++j)
      sum += x(p, j) * std::polar(1.0, turn * static_cast<double>(j * k % p.length));
    if (p.inverse) sum /= static_cast<double>(p.length);
    to[k * p.target.element] = rounded<T>(sum.real());
    if (!p.mirrored) to[k * p.target.element + 1] = rounded<T>(sum.imag());
  }
}

} // namespace

void fourier(const fourier_problem& p, const kernel_io& io) {
  visit_floating(io.inputs[0].type, [&]<class T>(std::type_identity<T>) {
    const T* window = p.window == 0 ? nullptr : io.inputs[p.window].as<T>();
    for (std::int64_t o = 0; o < p.outer; ++o)
      for (std::int64_t i = 0; i < p.inner; ++i)
        transform<T>(p, {io.inputs[0].as<T>() + o * p.source.outer + i * p.source.inner, window},
                     io.outputs[0].as<T>() + o * p.target.outer + i * p.target.inner);
  });
}

} // namespace shoal::reference
