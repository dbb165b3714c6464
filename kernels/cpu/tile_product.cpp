#include "kernels/cpu/tile_product.hpp"

#include "kernels/cpu/simd.hpp"

// Compiled with contraction of a * b + c, unlike all other kernels: see kernels/CMakeLists.txt.

namespace shoal::kernels {
namespace {

template <int Bytes>
struct vector_of {
  typedef float type __attribute__((vector_size(Bytes), aligned(4), may_alias));
};

/// `Rows` rows and `Vectors` vectors of `Bytes` bytes of y, held in registers: enough of them to
/// hide the latency of an addition, few enough to fit.
template <int Bytes, int Rows, int Vectors>
SHOAL_INLINE void tile(const tile_problem& p, std::int64_t row, std::int64_t column) {
  using vector = typename vector_of<Bytes>::type;
  constexpr int lanes = Bytes / 4;
  const auto* a = p.a + row * p.a_row;
  const auto* b = p.b + column;
  vector sums[Rows][Vectors] = {};
  for (std::int64_t l = 0; l < p.length; ++l, a += p.a_step, b += p.b_row) {
    vector factors[Vectors];
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) factors[v] = *reinterpret_cast<const vector*>(b + v * lanes);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
      for (int v = 0; v < Vectors; ++v) sums[r][v] += a[r * p.a_row] * factors[v];
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v)
      *reinterpret_cast<vector*>(p.y + (row + r) * p.y_row + column + v * lanes) = sums[r][v];
}

template <int Bytes, int Rows, int Vectors>
SHOAL_INLINE void column_of_tiles(const tile_problem& p, std::int64_t column) {
  std::int64_t row = 0;
  for (; row + Rows <= p.rows; row += Rows) tile<Bytes, Rows, Vectors>(p, row, column);
  if constexpr (Rows > 4)
    for (; row + 4 <= p.rows; row += 4) tile<Bytes, 4, Vectors>(p, row, column);
  for (; row < p.rows; ++row) tile<Bytes, 1, Vectors>(p, row, column);
}

/// Columns from `column` on; what is too narrow for vectors of `Bytes` bytes is left to shorter
/// ones.
template <int Bytes, int Rows>
SHOAL_INLINE void all_tiles(const tile_problem& p, std::int64_t column = 0) {
  constexpr int lanes = Bytes / 4;
  for (; column + 2 * lanes <= p.columns; column += 2 * lanes)
    column_of_tiles<Bytes, Rows, 2>(p, column);
  for (; column + lanes <= p.columns; column += lanes) column_of_tiles<Bytes, Rows, 1>(p, column);
  if constexpr (Bytes > 16)
    all_tiles<Bytes / 2, 4>(p, column);
  else if constexpr (Bytes > 4)
    all_tiles<4, 4>(p, column);
}

#if SHOAL_TARGET_CLONES
[[gnu::target("default")]]
#endif
void multiply(const tile_problem& p) {
  all_tiles<16, 4>(p);
}
#if SHOAL_TARGET_CLONES
[[gnu::target("avx2,fma")]] void multiply(const tile_problem& p) {
  all_tiles<32, 4>(p);
}
[[gnu::target("avx512f,fma")]] void multiply(const tile_problem& p) {
  all_tiles<64, 8>(p);
}
#endif

} // namespace

void tile_product(const tile_problem& p) {
  multiply(p);
}

} // namespace shoal::kernels
