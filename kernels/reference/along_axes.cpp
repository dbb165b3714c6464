#include "kernels/reference/along_axes.hpp"

#include "kernels/reference/floating.hpp"

#include <cmath>

namespace shoal::reference {
namespace {

/// Calls f(offset of the element in x) for every position in `nest`, from `start` on.
template <class F>
void for_each(const loop_nest& nest, std::int64_t start, F&& f) {
  loop_position at(nest, nest.depth(), 0);
  for (auto i = nest.iterations(); i > 0; --i, at.next()) f(start + at[0]);
}

} // namespace

void mean_variance_normalization(const loop_nest& kept, const loop_nest& reduced,
                                 const const_view& x, const view& y) {
  constexpr double epsilon = 1e-9;
  const auto count = static_cast<double>(reduced.iterations());
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    const auto value = [&](std::int64_t i) { return static_cast<double>(x.as<T>()[i]); };
    for_each(kept, 0, [&](std::int64_t start) {
      double sum = 0, squares = 0;
      for_each(reduced, start, [&](std::int64_t i) { sum += value(i); });
      const double mean = sum / count;
      for_each(reduced, start,
               [&](std::int64_t i) { squares += (value(i) - mean) * (value(i) - mean); });
      const double deviation = std::sqrt(squares / count) + epsilon;
      for_each(reduced, start,
               [&](std::int64_t i) { y.as<T>()[i] = rounded<T>((value(i) - mean) / deviation); });
    });
  });
}

void lp_normalization(double p, const loop_nest& kept, const loop_nest& reduced,
                      const const_view& x, const view& y) {
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    const auto value = [&](std::int64_t i) { return static_cast<double>(x.as<T>()[i]); };
    for_each(kept, 0, [&](std::int64_t start) {
      double sum = 0;
      for_each(reduced, start, [&](std::int64_t i) { sum += std::pow(std::fabs(value(i)), p); });
      const double norm = std::pow(sum, 1 / p);
      for_each(reduced, start,
               [&](std::int64_t i) { y.as<T>()[i] = rounded<T>(norm == 0 ? 0 : value(i) / norm); });
    });
  });
}

} // namespace shoal::reference
