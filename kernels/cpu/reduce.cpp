#include "kernels/cpu/reduce.hpp"

#include "kernels/cpu/math.hpp"
#include "kernels/cpu/parallel.hpp"

#include <limits>

namespace shoal::kernels {
namespace {

constexpr std::int64_t parts = 16;   ///< element i belongs to part i % parts
constexpr std::int64_t columns = 16; ///< results computed at a time where inner > 1

constexpr float infinity = std::numeric_limits<float>::infinity();

template <class A>
struct accumulators {
  A part[parts][columns];
};

/// Folds `count` rows of `width` columns, `stride` apart, into `result`, one per column.
template <class A, class Fold, class Join>
SHOAL_INLINE void fold_columns(const float* in, std::int64_t count, std::int64_t stride,
                               std::int64_t width, A start, Fold fold, Join join, A* result) {
  accumulators<A> a;
  for (auto& row : a.part)
    for (auto& x : row) x = start;
  for (std::int64_t i = 0; i < count; ++i, in += stride) {
    A* row = a.part[i % parts];
#pragma omp simd
    for (std::int64_t c = 0; c < width; ++c) row[c] = fold(row[c], in[c], c);
  }
  for (std::int64_t half = parts / 2; half > 0; half /= 2)
    for (std::int64_t p = 0; p < half; ++p)
      for (std::int64_t c = 0; c < width; ++c)
        a.part[p][c] = join(a.part[p][c], a.part[p + half][c]);
  for (std::int64_t c = 0; c < width; ++c) result[c] = a.part[0][c];
}

/// The same for one column whose elements are neighbours.
template <class A, class Fold, class Join>
SHOAL_INLINE void fold_row(const float* in, std::int64_t count, A start, Fold fold, Join join,
                           A* result) {
  A part[parts];
  for (auto& x : part) x = start;
  std::int64_t i = 0;
  for (; i + parts <= count; i += parts) {
#pragma omp simd
    for (std::int64_t p = 0; p < parts; ++p) part[p] = fold(part[p], in[i + p], 0);
  }
  for (std::int64_t p = 0; i < count; ++i, ++p) part[p] = fold(part[p], in[i], 0);
  for (std::int64_t half = parts / 2; half > 0; half /= 2)
    for (std::int64_t p = 0; p < half; ++p) part[p] = join(part[p], part[p + half]);
  *result = part[0];
}

template <class A, class Fold, class Join>
SHOAL_INLINE void fold(const float* in, std::int64_t count, std::int64_t stride, std::int64_t width,
                       A start, Fold f, Join join, A* result) {
  if (stride == 1)
    fold_row(in, count, start, f, join, result);
  else
    fold_columns(in, count, stride, width, start, f, join, result);
}

SHOAL_MULTIVERSION
void sum_up(reduction f, const float* in, std::int64_t count, std::int64_t stride,
            std::int64_t width, double* sums) {
  const auto add = [](double a, double b) { return a + b; };
  switch (f) {
  case reduction::l1:
    return fold(
        in, count, stride, width, 0.0,
        [](double a, float x, std::int64_t) { return a + static_cast<double>(std::fabs(x)); }, add,
        sums);
  case reduction::l2:
  case reduction::sum_square:
    return fold(
        in, count, stride, width, 0.0,
        [](double a, float x, std::int64_t) {
          return a + static_cast<double>(x) * static_cast<double>(x);
        },
        add, sums);
  case reduction::prod:
    return fold(
        in, count, stride, width, 1.0,
        [](double a, float x, std::int64_t) { return a * static_cast<double>(x); },
        [](double a, double b) { return a * b; }, sums);
  default:
    return fold(
        in, count, stride, width, 0.0,
        [](double a, float x, std::int64_t) { return a + static_cast<double>(x); }, add, sums);
  }
}

SHOAL_MULTIVERSION
void find_extremum(bool largest, const float* in, std::int64_t count, std::int64_t stride,
                   std::int64_t width, float* found) {
  const auto larger = [](float a, float x, std::int64_t = 0) { return x > a || x != x ? x : a; };
  const auto smaller = [](float a, float x, std::int64_t = 0) { return x < a || x != x ? x : a; };
  if (largest)
    fold(in, count, stride, width, -infinity, larger, larger, found);
  else
    fold(in, count, stride, width, infinity, smaller, smaller, found);
}

/// `shifts` are the finite largest values of the columns.
SHOAL_MULTIVERSION
void sum_exponentials(const float* in, std::int64_t count, std::int64_t stride, std::int64_t width,
                      const float* shifts, double* sums) {
  fold(
      in, count, stride, width, 0.0,
      [shifts](double a, float x, std::int64_t c) {
        return a + static_cast<double>(math::exp(x - shifts[c]));
      },
      [](double a, double b) { return a + b; }, sums);
}

double finish(reduction f, double sum, std::int64_t count) {
  switch (f) {
  case reduction::mean:
    return sum / static_cast<double>(count);
  case reduction::l2:
    return std::sqrt(sum);
  case reduction::log_sum:
    return std::log(sum);
  default:
    return sum;
  }
}

void reduce_columns(reduction f, const float* in, std::int64_t count, std::int64_t stride,
                    std::int64_t width, float* out) {
  if (f == reduction::max || f == reduction::min)
    return find_extremum(f == reduction::max, in, count, stride, width, out);
  double sums[columns];
  if (f != reduction::log_sum_exp) {
    sum_up(f, in, count, stride, width, sums);
    for (std::int64_t c = 0; c < width; ++c) out[c] = static_cast<float>(finish(f, sums[c], count));
    return;
  }
  float largest[columns], shifts[columns];
  find_extremum(true, in, count, stride, width, largest);
  for (std::int64_t c = 0; c < width; ++c) shifts[c] = std::isfinite(largest[c]) ? largest[c] : 0;
  sum_exponentials(in, count, stride, width, shifts, sums);
  for (std::int64_t c = 0; c < width; ++c)
    out[c] = std::isfinite(largest[c])
                 ? static_cast<float>(static_cast<double>(shifts[c]) + std::log(sums[c]))
                 : largest[c];
}

} // namespace

void reduce(reduction f, const reduction_extents& extents, const float* in, float* out) {
  const auto [outer, count, inner] = extents;
  const auto groups = (inner + columns - 1) / columns;
  const auto width = inner == 1 ? std::int64_t{1} : columns;
  const auto grain = parallel_threshold / std::max<std::int64_t>(count * width, 1);
  parallel_pieces(outer * groups, grain, [&, inner = inner, count = count](auto first, auto last) {
    for (auto i = first; i < last; ++i) {
      const auto o = i / groups, column = i % groups * columns;
      reduce_columns(f, in + o * count * inner + column, count, inner,
                     std::min(columns, inner - column), out + o * inner + column);
    }
  });
}

} // namespace shoal::kernels
