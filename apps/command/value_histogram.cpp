#include "apps/command/value_histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace shoal {
namespace {

constexpr int fine_bits = 7;
constexpr std::uint64_t fine_count = std::uint64_t{1} << fine_bits;

/// Numbers below 2 · fine_count have buckets of their own; above, the bucket is given by the
/// exponent and the fine_bits bits that follow the leading one.
std::size_t bucket_of(std::uint64_t value) {
  if (value < 2 * fine_count) return value;
  const int shift = std::bit_width(value) - 1 - fine_bits;
  return static_cast<std::size_t>(shift) * fine_count + (value >> shift);
}

/// The middle of a bucket.
std::uint64_t value_of(std::size_t bucket) {
  if (bucket < 2 * fine_count) return bucket;
  const auto shift = static_cast<int>(bucket / fine_count) - 1;
  const std::uint64_t leading = bucket - static_cast<std::uint64_t>(shift) * fine_count;
  return (leading << shift) + (std::uint64_t{1} << shift) / 2;
}

} // namespace

void value_histogram::add(std::uint64_t value) {
  const auto bucket = bucket_of(value);
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
  sum_ += static_cast<double>(value);
  least_ = std::min(least_, value);
  greatest_ = std::max(greatest_, value);
}

std::uint64_t value_histogram::quantile(double q) const {
  if (count_ == 0) return 0;
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) return std::clamp(value_of(bucket), least_, greatest_);
  }
  return greatest_;
}

} // namespace shoal
