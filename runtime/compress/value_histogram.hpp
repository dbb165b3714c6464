#pragma once

#include "runtime/compress/value_ranges.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// How often numbers were seen, by where they lie in a range that holds all of them and zero.
/// Zeros are not counted by `least_divergence`: every range holds them exactly.
class value_histogram {
 public:
  explicit value_histogram(const value_range& whole) : whole_(whole) {}

  void add(float x);

  /// Without the outermost bins, as many from either side as hold half of what may go.
  value_range holding(double percentile) const;

  /// The range in which 256 evenly spaced values, those beyond at its ends, are distributed most
  /// like the numbers seen: by the Kullback-Leibler divergence, as Migacz, "8-bit inference with
  /// TensorRT" (2017), proposes for magnitudes. Here either end is chosen by itself, since zero
  /// need not be in the middle: first the one farther from zero, then the other.
  value_range least_divergence() const;

 private:
  std::size_t bin_of(float x) const;
  float width() const { return (whole_.high - whole_.low) / static_cast<float>(bins_.size()); }
  /// The range of bins [first, last), made to hold zero.
  value_range range_of(std::size_t first, std::size_t last) const;
  double divergence(std::size_t first, std::size_t last) const;

  value_range whole_;
  std::vector<std::uint64_t> bins_ = std::vector<std::uint64_t>(4096);
  std::uint64_t count_ = 0, zeros_ = 0;
};

} // namespace shoal
