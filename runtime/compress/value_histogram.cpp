#include "runtime/compress/value_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

constexpr std::size_t levels = 256;
/// Ends of ranges are tried so many bins apart.
constexpr std::size_t step = 16;

} // namespace

std::size_t value_histogram::bin_of(float x) const {
  const float place = (x - whole_.low) / (whole_.high - whole_.low);
  return std::min(static_cast<std::size_t>(place * static_cast<float>(bins_.size())),
                  bins_.size() - 1);
}

void value_histogram::add(float x) {
  if (!(whole_.high > whole_.low)) return;
  ++count_;
  if (x == 0) ++zeros_;
  ++bins_[bin_of(x)];
}

value_range value_histogram::range_of(std::size_t first, std::size_t last) const {
  const auto skipped = static_cast<float>(bins_.size() - last);
  return {std::min(whole_.low + width() * static_cast<float>(first), 0.0f),
          std::max(whole_.high - width() * skipped, 0.0f)};
}

value_range value_histogram::holding(double percentile) const {
  const double spare = (1 - percentile / 100) / 2 * static_cast<double>(count_);
  const auto skipped = [&](auto first, auto last) {
    double seen = 0;
    std::size_t bin = 0;
    for (auto at = first; at != last; ++at, ++bin) {
      seen += static_cast<double>(*at);
      if (seen > spare) break;
    }
    return bin;
  };
  return range_of(skipped(bins_.begin(), bins_.end()),
                  bins_.size() - skipped(bins_.rbegin(), bins_.rend()));
}

double value_histogram::divergence(std::size_t first, std::size_t last) const {
  std::vector<double> seen(bins_.begin() + static_cast<std::ptrdiff_t>(first),
                           bins_.begin() + static_cast<std::ptrdiff_t>(last));
  const auto bins = seen.size();
  const auto total = static_cast<double>(count_ - zeros_);
  // What 256 values make of it: each stands for some bins, and for all of them that have any alike.
  std::vector<double> told(bins);
  for (std::size_t level = 0; level < levels; ++level) {
    const auto begin = level * bins / levels, end = (level + 1) * bins / levels;
    double sum = 0, used = 0;
    for (auto i = begin; i < end; ++i) {
      sum += seen[i];
      used += seen[i] > 0 ? 1 : 0;
    }
    for (auto i = begin; i < end; ++i) told[i] = seen[i] > 0 ? sum / used : 0;
  }
  double within = 0;
  for (const double n : seen) within += n;
  if (within <= 0) return INFINITY;
  for (std::size_t i = 0; i < first; ++i) seen.front() += static_cast<double>(bins_[i]);
  for (std::size_t i = last; i < bins_.size(); ++i) seen.back() += static_cast<double>(bins_[i]);
  // A bin that is full of what was cut off, but was empty before, is told with next to nothing.
  constexpr double almost_nothing = 1e-4;
  double sum = 0;
  for (std::size_t i = 0; i < bins; ++i)
    if (seen[i] > 0)
      sum += seen[i] / total *
             std::log((seen[i] / total) / (std::max(told[i], almost_nothing) / within));
  return sum;
}

value_range value_histogram::least_divergence() const {
  const auto bins = bins_.size();
  if (count_ == zeros_) return whole_;
  value_histogram without_zeros = *this;
  const auto zero_bin = bin_of(0);
  without_zeros.bins_[zero_bin] -= zeros_;
  std::size_t first = 0, last = bins;
  const auto shrink_high = [&] {
    double least = INFINITY;
    auto best = last;
    for (auto end = bins; end > zero_bin && end >= first + levels; end -= step)
      if (const auto d = without_zeros.divergence(first, end); d < least) {
        least = d;
        best = end;
      }
    last = best;
  };
  const auto shrink_low = [&] {
    double least = INFINITY;
    auto best = first;
    for (std::size_t begin = 0; begin <= zero_bin && begin + levels <= last; begin += step)
      if (const auto d = without_zeros.divergence(begin, last); d < least) {
        least = d;
        best = begin;
      }
    first = best;
  };
  const bool high_is_farther = whole_.high > -whole_.low;
  high_is_farther ? shrink_high() : shrink_low();
  high_is_farther ? shrink_low() : shrink_high();
  return range_of(first, last);
}

} // namespace shoal
