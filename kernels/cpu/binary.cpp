#include "kernels/cpu/binary.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

#include <cmath>

namespace shoal::kernels {
namespace {

/// The two innermost loops: `rows` times `count` elements. A call for each row would cost more than
/// the row where blocked channels make rows of 8 or 16.
struct block {
  std::int64_t rows, count;
  std::int64_t a_row, b_row, out_row;
  bool a_moves, b_moves; ///< stride 1, not 0, along a row
};

template <class T, class F>
SHOAL_INLINE void each_row(const block& k, const T* a, const T* b, T* out, F f) {
  const auto count = k.count;
  for (std::int64_t row = 0; row < k.rows; ++row, a += k.a_row, b += k.b_row, out += k.out_row) {
    if (k.a_moves && k.b_moves) {
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) out[i] = f(a[i], b[i]);
    } else if (k.a_moves) {
      const T y = *b;
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) out[i] = f(a[i], y);
    } else if (k.b_moves) {
      const T x = *a;
#pragma omp simd
      for (std::int64_t i = 0; i < count; ++i) out[i] = f(x, b[i]);
    } else {
      std::fill_n(out, count, f(*a, *b));
    }
  }
}

SHOAL_INLINE float square_or_power(float x, float y) {
  return y == 2.0f ? x * x : std::pow(x, y);
}

SHOAL_MULTIVERSION
void compute(binary_function f, const block& k, const float* a, const float* b, float* out) {
  switch (f) {
  case binary_function::add:
    return each_row(k, a, b, out, [](float x, float y) { return x + y; });
  case binary_function::sub:
    return each_row(k, a, b, out, [](float x, float y) { return x - y; });
  case binary_function::mul:
    return each_row(k, a, b, out, [](float x, float y) { return x * y; });
  case binary_function::div:
    return each_row(k, a, b, out, [](float x, float y) { return x / y; });
  case binary_function::max:
    return each_row(k, a, b, out, [](float x, float y) { return x > y || x != x ? x : y; });
  case binary_function::min:
    return each_row(k, a, b, out, [](float x, float y) { return x < y || x != x ? x : y; });
  case binary_function::prelu:
    return each_row(k, a, b, out, [](float x, float y) { return x < 0.0f ? x * y : x; });
  default:
    return each_row(k, a, b, out, square_or_power);
  }
}

/// Integers as their unsigned counterparts, which wrap around.
template <class T>
SHOAL_INLINE void compute_integer(binary_function f, const block& k, const T* a, const T* b,
                                  T* out) {
  using bits = std::make_unsigned_t<T>;
  switch (f) {
  case binary_function::add:
    return each_row(k, a, b, out, [](T x, T y) { return T(bits(x) + bits(y)); });
  case binary_function::sub:
    return each_row(k, a, b, out, [](T x, T y) { return T(bits(x) - bits(y)); });
  case binary_function::mul:
    return each_row(k, a, b, out, [](T x, T y) { return T(bits(x) * bits(y)); });
  case binary_function::max:
    return each_row(k, a, b, out, [](T x, T y) { return x > y ? x : y; });
  default:
    return each_row(k, a, b, out, [](T x, T y) { return x < y ? x : y; });
  }
}

SHOAL_MULTIVERSION
void compute(binary_function f, const block& k, const std::int32_t* a, const std::int32_t* b,
             std::int32_t* out) {
  compute_integer(f, k, a, b, out);
}

SHOAL_MULTIVERSION
void compute(binary_function f, const block& k, const std::int64_t* a, const std::int64_t* b,
             std::int64_t* out) {
  compute_integer(f, k, a, b, out);
}

template <class T>
void run(binary_function f, const loop_nest& nest, const T* a, const T* b, T* out) {
  const int inner = nest.depth() - 1;
  const bool a_moves = nest.stride(0, inner) != 0, b_moves = nest.stride(1, inner) != 0;
  if (inner == 0) {
    parallel_pieces(nest.extent(0), parallel_threshold, [&](auto first, auto last) {
      compute(f, {1, last - first, 0, 0, 0, a_moves, b_moves}, a + (a_moves ? first : 0),
              b + (b_moves ? first : 0), out + first);
    });
    return;
  }
  const int outer = inner - 1;
  const auto count = nest.extent(inner), rows = nest.extent(outer);
  if (count == 0 || rows == 0) return;
  const auto grain = std::max<std::int64_t>(1, parallel_threshold / count);
  parallel_pieces(nest.iterations(0, inner), grain, [&](auto first, auto last) {
    while (first < last) { // the part of each block of rows that lies in this piece
      const auto row = first % rows;
      const auto taken = std::min(rows - row, last - first);
      const loop_position at(nest, inner, first);
      compute(f,
              {taken, count, nest.stride(0, outer), nest.stride(1, outer), nest.stride(2, outer),
               a_moves, b_moves},
              a + at[0], b + at[1], out + at[2]);
      first += taken;
    }
  });
}

} // namespace

bool has_binary(binary_function f, dtype type) {
  if (f <= binary_function::mul || f == binary_function::max || f == binary_function::min)
    return type == dtype::f32 || type == dtype::i32 || type == dtype::i64;
  return type == dtype::f32 &&
         (f == binary_function::div || f == binary_function::pow || f == binary_function::prelu);
}

void binary(binary_function f, dtype type, const loop_nest& nest, const void* a, const void* b,
            void* out) {
  const auto with = [&]<class T>(T) {
    run(f, nest, static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(out));
  };
  type == dtype::f32   ? with(float{})
  : type == dtype::i32 ? with(std::int32_t{})
                       : with(std::int64_t{});
}

} // namespace shoal::kernels
