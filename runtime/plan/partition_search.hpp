#pragma once

#include "runtime/plan/partition_problem.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace shoal {

/// A stage between two positions on some device of a type.
struct placed_segment {
  std::size_t type = 0;
  std::size_t from = 0;
  std::size_t to = 0;
};

/// All sets of devices up to exchange of like ones, numbered so that a set comes after its subsets:
/// how many devices of each type, as the digits of a number.
class device_sets {
 public:
  explicit device_sets(const partition_problem& problem);

  std::size_t size() const { return totals_.size(); }
  std::size_t total(std::size_t set) const { return totals_[set]; }
  std::size_t count(std::size_t set, std::size_t type) const {
    return set / strides_[type] % radices_[type];
  }
  std::size_t without(std::size_t set, std::size_t type) const { return set - strides_[type]; }
  /// Whether the search has to look at this set at all, and whether a pipeline may end with it.
  bool useful(std::size_t set) const {
    return totals_[set] != 0 && (!wanted_ || totals_[set] <= *wanted_);
  }
  bool complete(std::size_t set) const { return !wanted_ || totals_[set] == *wanted_; }

 private:
  std::vector<std::size_t> strides_;
  std::vector<std::size_t> radices_;
  std::vector<std::size_t> totals_;
  std::optional<std::size_t> wanted_;
};

/// The least time that all stages and links of some placement keep to; nothing when memory allows
/// no placement.
std::optional<double> least_bottleneck(const partition_problem& problem, const device_sets& sets);

/// The placement of least Σ (compute + transfer) whose stages and links all keep to `limit`, which
/// some placement does. Of equally fast ones (to 1e-9) the one with the fewest stages.
std::vector<placed_segment> shortest_within(const partition_problem& problem,
                                            const device_sets& sets, double limit);

} // namespace shoal
