#include "kernels/reference/binary.hpp"

#include "kernels/kernel.hpp"
#include "kernels/reference/convert.hpp"

#include <cmath>

namespace shoal::reference {
namespace {

template <class T>
T real(binary_function f, T a, T b) {
  switch (f) {
  case binary_function::add:
    return a + b;
  case binary_function::sub:
    return a - b;
  case binary_function::mul:
    return a * b;
  case binary_function::div:
    return a / b;
  case binary_function::mod: {
    const T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
  case binary_function::fmod:
    return std::fmod(a, b);
  case binary_function::max:
    return a > b || std::isnan(a) ? a : b;
  case binary_function::min:
    return a < b || std::isnan(a) ? a : b;
  case binary_function::prelu:
    return a < 0 ? a * b : a;
  default:
    return std::pow(a, b);
  }
}

template <class T>
T divide(T a, T b) {
  if (b == 0) throw kernel_error("integer division by zero");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return static_cast<T>(std::uint64_t{0} - static_cast<std::uint64_t>(a));
  return static_cast<T>(a / b);
}

/// The remainder with the sign of the dividend.
template <class T>
T remainder(T a, T b) {
  if (b == 0) throw kernel_error("integer division by zero");
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return static_cast<T>(a % b);
}

template <class T>
T floored_remainder(T a, T b) {
  const T rest = remainder(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
}

template <class T>
T shifted(binary_function f, T a, T b) {
  const auto bits = static_cast<std::uint64_t>(a);
  if (static_cast<std::uint64_t>(b) >= 8 * sizeof(T)) return 0;
  return static_cast<T>(f == binary_function::shift_left ? bits << b : bits >> b);
}

template <class T>
T integer(binary_function f, T a, T b) {
  const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
  switch (f) {
  case binary_function::add:
    return static_cast<T>(x + y);
  case binary_function::sub:
    return static_cast<T>(x - y);
  case binary_function::mul:
    return static_cast<T>(x * y);
  case binary_function::div:
    return divide(a, b);
  case binary_function::mod:
    return floored_remainder(a, b);
  case binary_function::fmod:
    return remainder(a, b);
  case binary_function::max:
    return a > b ? a : b;
  case binary_function::min:
    return a < b ? a : b;
  case binary_function::prelu:
    return a < 0 ? static_cast<T>(x * y) : a;
  case binary_function::bit_and:
    return static_cast<T>(x & y);
  case binary_function::bit_or:
    return static_cast<T>(x | y);
  case binary_function::bit_xor:
    return static_cast<T>(x ^ y);
  default:
    return shifted(f, a, b);
  }
}

bool logical(binary_function f, bool a, bool b) {
  return f == binary_function::bit_and ? a && b : f == binary_function::bit_or ? a || b : a != b;
}

template <class T>
T compute(binary_function f, T a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    return logical(f, a, b);
  else if constexpr (std::is_integral_v<T>)
    return integer(f, a, b);
  else if constexpr (std::is_floating_point_v<T>)
    return real(f, a, b);
  else
    return T(real(f, static_cast<float>(a), static_cast<float>(b)));
}

template <class T>
bool compute(comparison f, T a, T b) {
  switch (f) {
  case comparison::equal:
    return a == b;
  case comparison::greater:
    return a > b;
  case comparison::greater_or_equal:
    return a >= b;
  case comparison::less:
    return a < b;
  default:
    return a <= b;
  }
}

/// Calls `row(position, strides are those of the innermost loop)` for every iteration of the outer
/// loops.
template <class F>
void for_each_row(const loop_nest& nest, F&& row) {
  const int inner = nest.depth() - 1;
  if (nest.iterations() == 0) return;
  loop_position at(nest, inner, 0);
  for (std::int64_t i = nest.iterations(0, inner); i > 0; --i, at.next()) row(at);
}

} // namespace

void binary(binary_function f, dtype type, const loop_nest& nest, const void* a, const void* b,
            void* out) {
  const int inner = nest.depth() - 1;
  visit_dtype(type, [&]<class T>(std::type_identity<T>) {
    for_each_row(nest, [&](const loop_position& at) {
      const T* x = static_cast<const T*>(a) + at[0];
      const T* y = static_cast<const T*>(b) + at[1];
      T* z = static_cast<T*>(out) + at[2];
      for (std::int64_t i = 0; i < nest.extent(inner); ++i)
        z[i * nest.stride(2, inner)] =
            compute<T>(f, x[i * nest.stride(0, inner)], y[i * nest.stride(1, inner)]);
    });
  });
}

void power(dtype type, dtype exponent_type, const loop_nest& nest, const void* a, const void* b,
           void* out) {
  const int inner = nest.depth() - 1;
  const auto exponent_at = [&](std::int64_t i) {
    return visit_dtype(exponent_type, [&]<class T>(std::type_identity<T>) {
      return convert<double>(static_cast<const T*>(b)[i]);
    });
  };
  visit_dtype(type, [&]<class T>(std::type_identity<T>) {
    for_each_row(nest, [&](const loop_position& at) {
      const T* x = static_cast<const T*>(a) + at[0];
      T* z = static_cast<T*>(out) + at[2];
      for (std::int64_t i = 0; i < nest.extent(inner); ++i)
        z[i * nest.stride(2, inner)] =
            convert<T>(std::pow(convert<double>(x[i * nest.stride(0, inner)]),
                                exponent_at(at[1] + i * nest.stride(1, inner))));
    });
  });
}

void compare(comparison f, dtype type, const loop_nest& nest, const void* a, const void* b,
             bool* out) {
  const int inner = nest.depth() - 1;
  visit_dtype(type, [&]<class T>(std::type_identity<T>) {
    for_each_row(nest, [&](const loop_position& at) {
      const T* x = static_cast<const T*>(a) + at[0];
      const T* y = static_cast<const T*>(b) + at[1];
      for (std::int64_t i = 0; i < nest.extent(inner); ++i)
        out[at[2] + i * nest.stride(2, inner)] =
            compute(f, x[i * nest.stride(0, inner)], y[i * nest.stride(1, inner)]);
    });
  });
}

void select(std::size_t size, const loop_nest& nest, const bool* condition, const void* a,
            const void* b, void* out) {
  const int inner = nest.depth() - 1;
  const auto with = [&]<class T>(T) {
    for_each_row(nest, [&](const loop_position& at) {
      const T* x = static_cast<const T*>(a) + at[1];
      const T* y = static_cast<const T*>(b) + at[2];
      T* z = static_cast<T*>(out) + at[3];
      for (std::int64_t i = 0; i < nest.extent(inner); ++i) {
        // Both are loaded, so that the choice needs no branch, which nobody could predict.
        const T chosen = x[i * nest.stride(1, inner)], other = y[i * nest.stride(2, inner)];
        z[i * nest.stride(3, inner)] =
            condition[at[0] + i * nest.stride(0, inner)] ? chosen : other;
      }
    });
  };
  size == 8   ? with(std::uint64_t{})
  : size == 4 ? with(std::uint32_t{})
  : size == 2 ? with(std::uint16_t{})
              : with(std::uint8_t{});
}

} // namespace shoal::reference
