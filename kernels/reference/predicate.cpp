#include "kernels/reference/predicate.hpp"

#include "kernels/reference/convert.hpp"

#include <cmath>

namespace shoal::reference {
namespace {

template <class F>
void ask(const const_view& in, bool* out, F question) {
  const auto count = in.element_count();
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < count; ++i) out[i] = question(convert<double>(in.as<T>()[i]));
  });
}

} // namespace

void is_nan(const const_view& in, bool* out) {
  ask(in, out, [](double x) { return std::isnan(x); });
}

void is_infinite(const const_view& in, bool negative, bool positive, bool* out) {
  ask(in, out, [=](double x) { return std::isinf(x) && (x < 0 ? negative : positive); });
}

void logical_not(const bool* in, std::int64_t count, bool* out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = !in[i];
}

} // namespace shoal::reference
