#pragma once

#include <cstdint>
#include <vector>

namespace shoal {

/// How whole numbers are distributed, in fixed memory (about 60 KB) whatever their count: buckets
/// grow with the numbers, so that a quantile is wrong by less than 0.5 % (numbers up to 255
/// exactly). Least, greatest, count and sum are exact. The buckets are those of HdrHistogram: every
/// power of two is cut into 128 equal ones.
class value_histogram {
 public:
  void add(std::uint64_t value);

  std::uint64_t count() const { return count_; }
  std::uint64_t least() const { return count_ == 0 ? 0 : least_; }
  std::uint64_t greatest() const { return greatest_; }
  double mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }
  /// The smallest number that at least the share `q` (0 to 1) of all do not exceed; 0 when empty.
  std::uint64_t quantile(double q) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::uint64_t least_ = UINT64_MAX;
  std::uint64_t greatest_ = 0;
  double sum_ = 0;
};

} // namespace shoal
