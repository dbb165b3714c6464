#include "kernels/reference/reduce.hpp"

#include "kernels/reference/convert.hpp"

#include <cmath>
#include <limits>

namespace shoal::reference {
namespace {

bool is_extremum(reduction f) {
  return f == reduction::max || f == reduction::min;
}

/// The values that one output element is made of.
template <class T>
class series {
 public:
  series(const loop_nest& loops, const T* start) : loops_(loops), start_(start) {}

  std::int64_t count() const { return loops_.iterations(); }
  template <class F>
  void each(F&& f) const {
    loop_position at(loops_, loops_.depth(), 0);
    for (std::int64_t i = count(); i > 0; --i, at.next()) f(start_[at[0]]);
  }

 private:
  const loop_nest& loops_;
  const T* start_;
};

template <class T>
T extremum(reduction f, const series<T>& values) {
  using limits = std::numeric_limits<T>;
  T best;
  if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
    best = T(f == reduction::max ? -std::numeric_limits<float>::infinity()
                                 : std::numeric_limits<float>::infinity());
  else if constexpr (limits::has_infinity)
    best = f == reduction::max ? -limits::infinity() : limits::infinity();
  else
    best = f == reduction::max ? limits::lowest() : limits::max();
  values.each([&](T x) {
    const bool nan = !(x == x);
    if (nan || (f == reduction::max ? x > best : x < best)) best = x;
  });
  return best;
}

template <class T>
double real(reduction f, const series<T>& values) {
  double shift = 0;
  if (f == reduction::log_sum_exp) {
    shift = convert<double>(extremum(reduction::max, values));
    if (!std::isfinite(shift)) return shift; // nothing at all, all -inf, or +inf or NaN among them
  }
  double sum = f == reduction::prod ? 1 : 0;
  values.each([&](T element) {
    const auto x = convert<double>(element);
    switch (f) {
    case reduction::prod:
      sum *= x;
      break;
    case reduction::l1:
      sum += std::fabs(x);
      break;
    case reduction::l2:
    case reduction::sum_square:
      sum += x * x;
      break;
    case reduction::log_sum_exp:
      sum += std::exp(x - shift);
      break;
    default:
      sum += x;
    }
  });
  switch (f) {
  case reduction::mean:
    return sum / static_cast<double>(values.count());
  case reduction::l2:
    return std::sqrt(sum);
  case reduction::log_sum:
    return std::log(sum);
  case reduction::log_sum_exp:
    return shift + std::log(sum);
  default:
    return sum;
  }
}

template <class T>
T integer(reduction f, const series<T>& values) {
  if (f == reduction::l2 || f == reduction::log_sum || f == reduction::log_sum_exp)
    return convert<T>(real(f, values));
  std::uint64_t sum = f == reduction::prod ? 1 : 0;
  values.each([&](T x) {
    const auto bits = static_cast<std::uint64_t>(x);
    if (f == reduction::prod)
      sum *= bits;
    else if (f == reduction::sum_square)
      sum += bits * bits;
    else
      sum += f == reduction::l1 && x < T{0} ? std::uint64_t{0} - bits : bits;
  });
  if (f != reduction::mean || values.count() == 0) return static_cast<T>(sum);
  if constexpr (std::is_signed_v<T>)
    return static_cast<T>(static_cast<std::int64_t>(sum) / values.count());
  else
    return static_cast<T>(sum / static_cast<std::uint64_t>(values.count()));
}

} // namespace

void reduce(reduction f, const loop_nest& kept, const loop_nest& reduced, const const_view& in,
            const view& out) {
  const auto count = kept.iterations();
  visit_dtype(in.type, [&]<class T>(std::type_identity<T>) {
    loop_position at(kept, kept.depth(), 0);
    for (std::int64_t i = 0; i < count; ++i, at.next()) {
      const series<T> values(reduced, in.as<T>() + at[0]);
      T& to = out.as<T>()[i];
      if constexpr (std::is_same_v<T, bool>)
        to = extremum(f, values);
      else if (is_extremum(f))
        to = extremum(f, values);
      else if constexpr (std::is_integral_v<T>)
        to = integer(f, values);
      else
        to = convert<T>(real(f, values));
    }
  });
}

} // namespace shoal::reference
