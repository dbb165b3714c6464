#include "kernels/reference/normalization.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::reference {
namespace {

struct statistics {
  double mean, inverse_deviation;
};

template <class T>
statistics statistics_of(const T* x, std::int64_t count, double epsilon) {
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    const double off = static_cast<double>(x[i]) - mean;
    squares += off * off;
  }
  return {mean, 1 / std::sqrt(squares / static_cast<double>(count) + epsilon)};
}

std::int64_t inner_of(const shape& dims) {
  return dims.element_count(2, dims.rank());
}

/// Where the element of a tensor broadcast to `full` lies that meets element `i` of the full one.
std::int64_t broadcast_offset(const shape& own, const shape& full, std::int64_t i) {
  std::int64_t offset = 0, step = 1;
  for (int axis = full.rank() - 1, at = own.rank() - 1; at >= 0; --axis, --at) {
    if (own[at] != 1) offset += i % full[axis] * step;
    i /= full[axis];
    step *= own[at];
  }
  return offset;
}

} // namespace

void batch_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                         const const_view& mean, const const_view& variance, const view& y,
                         double epsilon) {
  const auto channels = x.dims[1], inner = inner_of(x.dims);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < x.dims[0] * channels; ++row) {
      const auto c = row % channels;
      const double factor = element(scale, c) / std::sqrt(element(variance, c) + epsilon);
      for (std::int64_t i = row * inner; i < (row + 1) * inner; ++i)
        y.as<T>()[i] = rounded<T>((static_cast<double>(x.as<T>()[i]) - element(mean, c)) * factor +
                                  element(shift, c));
    }
  });
}

void instance_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                            const view& y, double epsilon) {
  const auto channels = x.dims[1], inner = inner_of(x.dims);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < x.dims[0] * channels; ++row) {
      const auto* from = x.as<T>() + row * inner;
      const auto s = statistics_of(from, inner, epsilon);
      const double factor = element(scale, row % channels) * s.inverse_deviation;
      for (std::int64_t i = 0; i < inner; ++i)
        y.as<T>()[row * inner + i] = rounded<T>((static_cast<double>(from[i]) - s.mean) * factor +
                                                element(shift, row % channels));
    }
  });
}

void group_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                         const view& y, std::int64_t groups, double epsilon) {
  const auto channels = x.dims[1], inner = inner_of(x.dims);
  const auto count = channels / groups * inner;
  const auto per_coefficient = scale.dims[0] == channels ? inner : count;
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < x.dims[0] * groups; ++row) {
      const auto s = statistics_of(x.as<T>() + row * count, count, epsilon);
      for (std::int64_t i = row * count; i < (row + 1) * count; ++i) {
        const auto c = i % (channels * inner) / per_coefficient;
        y.as<T>()[i] = rounded<T>((static_cast<double>(x.as<T>()[i]) - s.mean) *
                                      s.inverse_deviation * element(scale, c) +
                                  element(shift, c));
      }
    }
  });
}

void channel_statistics(const const_view& x, const view& mean, const view& variance) {
  const auto channels = x.dims[1], inner = inner_of(x.dims);
  const auto count = static_cast<double>(x.dims[0] * inner);
  const auto store = [](const view& to, std::int64_t i, double value) {
    visit_floating(to.type,
                   [&]<class S>(std::type_identity<S>) { to.as<S>()[i] = rounded<S>(value); });
  };
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto sum = [&](double centre, bool squared) {
        double total = 0;
        for (std::int64_t n = 0; n < x.dims[0]; ++n)
          for (std::int64_t i = 0; i < inner; ++i) {
            const double off =
                static_cast<double>(x.as<T>()[(n * channels + c) * inner + i]) - centre;
            total += squared ? off * off : off;
          }
        return total;
      };
      const double centre = sum(0, false) / count;
      store(mean, c, centre);
      store(variance, c, sum(centre, true) / count);
    }
  });
}

void layer_normalization(const const_view& x, const const_view& scale, const const_view& shift,
                         const view& y, const view& mean, const view& inverse_deviation, int axis,
                         double epsilon) {
  const auto rows = x.dims.element_count(0, axis);
  const auto inner = x.dims.element_count(axis, x.dims.rank());
  const auto store = [](const view& to, std::int64_t i, double value) {
    if (to.data == nullptr) return;
    visit_floating(to.type,
                   [&]<class S>(std::type_identity<S>) { to.as<S>()[i] = rounded<S>(value); });
  };
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto s = statistics_of(x.as<T>() + row * inner, inner, epsilon);
      store(mean, row, s.mean);
      store(inverse_deviation, row, s.inverse_deviation);
      for (std::int64_t i = row * inner; i < (row + 1) * inner; ++i) {
        double value = (static_cast<double>(x.as<T>()[i]) - s.mean) * s.inverse_deviation;
        value *= element(scale, broadcast_offset(scale.dims, x.dims, i));
        if (shift.data != nullptr) value += element(shift, broadcast_offset(shift.dims, x.dims, i));
        y.as<T>()[i] = rounded<T>(value);
      }
    }
  });
}

void local_response_normalization(const const_view& x, const view& y, std::int64_t size,
                                  double alpha, double beta, double bias) {
  const auto channels = x.dims[1], inner = inner_of(x.dims);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = 0; row < x.dims[0] * channels; ++row) {
      const auto c = row % channels;
      const auto first = std::max<std::int64_t>(0, c - (size - 1) / 2);
      const auto last = std::min(channels - 1, c + size / 2);
      for (std::int64_t i = 0; i < inner; ++i) {
        double squares = 0;
        for (auto other = first; other <= last; ++other) {
          const auto value = static_cast<double>(x.as<T>()[(row + other - c) * inner + i]);
          squares += value * value;
        }
        y.as<T>()[row * inner + i] =
            rounded<T>(static_cast<double>(x.as<T>()[row * inner + i]) /
                       std::pow(bias + alpha / static_cast<double>(size) * squares, beta));
      }
    }
  });
}

} // namespace shoal::reference
