#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <span>
#include <vector>

namespace shoal {

/// The inputs of one run of a model, in its order.
using model_sample = std::vector<tensor>;

/// The smallest interval around zero that holds what a value was seen to be.
struct value_range {
  float low = 0, high = 0;
};

enum class range_rule { percentile, entropy };

/// How the ends of a range follow from the numbers seen.
struct range_options {
  /// `entropy`: rare extremes are left out as far as that makes the distribution of 256 values more
  /// like what was seen; `percentile` is not looked at.
  range_rule rule = range_rule::percentile;
  /// The share of numbers, in percent, that the range has to hold; 100 is all of them. Fewer leave
  /// rare extremes out, so that the others are told apart better.
  double percentile = 100;
  int threads = 1;
};

/// Runs `model` on the samples and watches `values`, which are float32 and no constants.
/// `invalid_argument` without samples, or when a value is not a number.
result<std::vector<value_range>> observe_ranges(const graph& model,
                                                std::span<const value_id> values,
                                                std::span<const model_sample> samples,
                                                const range_options& options);

} // namespace shoal
