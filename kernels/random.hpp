#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <string_view>

namespace shoal {

/// Random numbers by index: any of them can be drawn at any time, in any order, and has the same
/// bits every time. Each is a counter, mixed as in SplitMix64.
class random_sequence {
 public:
  explicit random_sequence(std::uint64_t seed) : start_(mixed(seed)) {}

  /// FNV-1a of a text, for a seed.
  static std::uint64_t seed_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
  }

  std::uint64_t bits(std::uint64_t i) const {
    return mixed(start_ + (i + 1) * 0x9e3779b97f4a7c15u);
  }
  /// In [0, 1).
  double uniform(std::uint64_t i) const { return static_cast<double>(bits(i) >> 11) * 0x1p-53; }
  /// Mean 0, standard deviation 1, by Box and Muller's method.
  double normal(std::uint64_t i) const {
    const double radius = std::sqrt(-2 * std::log(1 - uniform(2 * i)));
    return radius * std::cos(2 * std::numbers::pi * uniform(2 * i + 1));
  }

 private:
  static constexpr std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
  }
  std::uint64_t start_;
};

} // namespace shoal
