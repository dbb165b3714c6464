#pragma once

#include "runtime/aggregate/aggregator_registry.hpp"
#include "runtime/aggregate/combination.hpp"
#include "runtime/aggregate/member_spread.hpp"

#include <cstddef>
#include <memory>
#include <optional>

namespace shoal {

/// One output of an ensemble.
struct combined_output {
  tensor value;
  /// The share of members that agree with the answer: that chose the class that won, on the average
  /// over all positions. For votes, log_mean and soft_vote.
  std::optional<double> agreement;
  /// For ways that compute with numbers.
  std::optional<member_spread> spread;
};

/// Combines one output of the members, which are folded in one after the other, in the order of the
/// ensemble: so the answer has the same bits whatever order they arrive in. Not thread-safe; no
/// clock, no threads.
///
/// Sum, mean, weighted_mean, log_mean, max, min and soft_vote keep as many tensors as one member
/// has, times a small constant, however many members there are; majority_vote keeps the class each
/// member chose, and agreement needs the same for soft_vote and log_mean: one integer per run along
/// the classes. The others keep all.
///
/// Arithmetic is in float64, and for sums and means of integers, and their medians, in 128-bit
/// integers; the answer is rounded once, as `write_elements` says, and has the members' type (but
/// for classes: int64, or the type of the labels).
class combiner {
 public:
  virtual ~combiner() = default;

  /// Whether `fold` would take what has this type: `invalid_argument` says what was expected.
  virtual result<void> check(const tensor_type& type) const = 0;
  /// `one` passes `check`. Fails only for lack of memory, and is then of no use any more.
  virtual result<void> fold(const member_output& one) = 0;
  /// After at least one member. `planned`: how many the ensemble has; where fewer were folded in,
  /// a sum is scaled up by the ratio, and means divide by what is there.
  virtual result<combined_output> finish(std::size_t planned) = 0;
};

/// `how` passes `check_combination`.
result<std::unique_ptr<combiner>> make_combiner(const combination& how);

} // namespace shoal
