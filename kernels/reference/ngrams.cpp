#include "kernels/reference/ngrams.hpp"

#include <algorithm>

namespace shoal::reference {
namespace {

/// The n-gram of `n` items from `from` on, `step` apart, if it is in the pool.
template <class T>
const ngram_pool::ngram* find(const ngram_pool& pool, const T* from, std::int64_t n,
                              std::int64_t step) {
  /// Negative, 0 or positive as the n-gram `known` comes before, is or comes after that in `from`.
  const auto order = [&](const ngram_pool::ngram& known) {
    const auto count = static_cast<std::int64_t>(known.items.size());
    for (std::int64_t i = 0; i < std::min(count, n); ++i) {
      const auto a = known.items[static_cast<std::size_t>(i)];
      const auto b = static_cast<std::int64_t>(from[i * step]);
      if (a != b) return a < b ? -1 : 1;
    }
    return count < n ? -1 : count > n ? 1 : 0;
  };
  const auto at = std::partition_point(pool.ngrams.begin(), pool.ngrams.end(),
                                       [&](const auto& known) { return order(known) < 0; });
  return at != pool.ngrams.end() && order(*at) == 0 ? &*at : nullptr;
}

void count(ngram_pool::mode how, const ngram_pool::ngram& found, float* y) {
  float& at = y[found.column];
  if (how == ngram_pool::mode::count)
    at += 1;
  else if (how == ngram_pool::mode::weight)
    at = found.weight;
  else
    at += found.weight;
}

template <class T>
void count_row(const ngram_pool& pool, const T* row, std::int64_t length, float* y) {
  for (auto n = pool.shortest; n <= std::min(pool.longest, length); ++n)
    for (std::int64_t skipped = 0; skipped <= pool.most_skipped; ++skipped) {
      if (n == 1 && skipped > 0) break; // there is nothing to skip between
      const auto step = skipped + 1;
      if (step > (length - 1) / std::max<std::int64_t>(n - 1, 1) && n > 1) break;
      for (std::int64_t i = 0; i + (n - 1) * step < length; ++i)
        if (const auto* found = find(pool, row + i, n, step)) count(pool.counted, *found, y);
    }
}

} // namespace

void count_ngrams(const ngram_pool& pool, const const_view& in, std::int64_t rows,
                  std::int64_t length, const view& y, std::int64_t columns) {
  std::fill_n(y.as<float>(), rows * columns, 0.0f);
  for (std::int64_t r = 0; r < rows; ++r)
    if (in.type == dtype::i32)
      count_row(pool, in.as<std::int32_t>() + r * length, length, y.as<float>() + r * columns);
    else
      count_row(pool, in.as<std::int64_t>() + r * length, length, y.as<float>() + r * columns);
}

} // namespace shoal::reference
