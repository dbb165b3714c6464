#pragma once

#include "kernels/view.hpp"

#include <cstdint>
#include <vector>

namespace shoal::reference {

/// What is counted, and where the counts go.
struct ngram_pool {
  struct ngram {
    std::vector<std::int64_t> items;
    std::int64_t column = 0; ///< of the output
    float weight = 1;
  };
  enum class mode : std::uint8_t {
    count,         ///< how often an n-gram occurs
    weight,        ///< its weight if it does
    weighted_count ///< the product
  };
  std::vector<ngram> ngrams; ///< sorted by their items, each but once
  std::int64_t shortest = 1, longest = 1;
  std::int64_t most_skipped = 0; ///< items between neighbours of an n-gram, from none to this
  mode counted = mode::count;
};

/// y[row, column] from the n-grams in each row of `in` (int32 or int64); y is float32.
void count_ngrams(const ngram_pool& pool, const const_view& in, std::int64_t rows,
                  std::int64_t length, const view& y, std::int64_t columns);

} // namespace shoal::reference
