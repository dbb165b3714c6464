#pragma once

#include "runtime/compress/value_ranges.hpp"

#include <cstdint>
#include <optional>

namespace shoal {

/// How far the outputs of one model are from those of another, over all samples and outputs.
struct model_difference {
  std::size_t samples = 0;
  double largest = 0;      ///< |a - b|
  double mean = 0;         ///< of |a - b|
  double relative_rms = 0; ///< root of the sum of (a - b)^2 over that of b^2
  /// The share of rows of the first output, if that is a matrix, whose largest element is the same.
  std::optional<double> same_class;
};

struct model_comparison {
  model_difference difference;
  double original_seconds = 0, changed_seconds = 0; ///< medians of one run each, interleaved
};

/// Runs both models, as a session on this machine would, on every sample, at least `runs` times
/// each.
result<model_comparison> compare_models(const graph& original, const graph& changed,
                                        std::span<const model_sample> samples, int threads,
                                        std::size_t runs);

} // namespace shoal
