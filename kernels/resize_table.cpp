#include "kernels/resize_table.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace shoal {
namespace {

double position(resize_coordinates coordinates, const resize_axis& axis, std::int64_t output) {
  const auto o = static_cast<double>(output), s = axis.scale;
  const auto in = static_cast<double>(axis.in), out = static_cast<double>(axis.out);
  switch (coordinates) {
  case resize_coordinates::half_pixel_symmetric:
    return in / 2 * (1 - out / (s * in)) + (o + 0.5) / s - 0.5;
  case resize_coordinates::pytorch_half_pixel:
    return axis.out > 1 ? (o + 0.5) / s - 0.5 : 0;
  case resize_coordinates::align_corners:
    return axis.out > 1 ? o * (in - 1) / (out - 1) : 0;
  case resize_coordinates::asymmetric:
    return o / s;
  case resize_coordinates::half_pixel_for_nn:
    return (o + 0.5) / s;
  default:
    return (o + 0.5) / s - 0.5;
  }
}

double nearest(nearest_rounding rounding, double x) {
  switch (rounding) {
  case nearest_rounding::prefer_floor:
    return std::ceil(x - 0.5);
  case nearest_rounding::prefer_ceil:
    return std::floor(x + 0.5);
  case nearest_rounding::floor:
    return std::floor(x);
  default:
    return std::ceil(x);
  }
}

/// Keys, "Cubic convolution interpolation for digital image processing" (1981), for a distance t.
double keys(double a, double t) {
  t = std::fabs(t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
  return 0;
}

constexpr int max_taps = 4;

struct tap_set {
  std::int64_t first = 0; ///< input index of tap 0; may lie outside
  std::array<double, max_taps> weight{};
};

tap_set taps_at(const resize_rule& rule, double x, int count, std::int64_t in) {
  tap_set taps;
  if (rule.mode == interpolation::nearest) {
    taps.first = static_cast<std::int64_t>(nearest(rule.rounding, x));
    taps.weight[0] = 1;
    return taps;
  }
  const double below = std::floor(x), fraction = x - below;
  taps.first = static_cast<std::int64_t>(below) - (count / 2 - 1);
  for (int t = 0; t < count; ++t)
    taps.weight[static_cast<std::size_t>(t)] = rule.mode == interpolation::linear
                                                   ? (t == 0 ? 1 - fraction : fraction)
                                                   : keys(rule.cubic_a, fraction + 1 - t);
  if (!rule.exclude_outside) return taps;
  double sum = 0;
  for (int t = 0; t < count; ++t) {
    auto& weight = taps.weight[static_cast<std::size_t>(t)];
    if (taps.first + t < 0 || taps.first + t >= in) weight = 0;
    sum += weight;
  }
  for (auto& weight : taps.weight) weight /= sum;
  return taps;
}

/// A table in which every output takes one element as it is needs one tap.
void drop_idle_taps(resize_table& table) {
  const auto taps = static_cast<std::size_t>(table.taps);
  std::vector<std::int64_t> index;
  for (std::size_t o = 0; o < table.index.size(); o += taps)
    for (std::size_t t = o; t < o + taps; ++t) {
      if (table.weight[t] != 0 && table.weight[t] != 1) return;
      if (table.weight[t] == 1) index.push_back(table.index[t]);
    }
  table = {1, std::move(index), {}};
  table.weight.assign(table.index.size(), 1);
}

} // namespace

resize_table make_resize_table(const resize_rule& rule, const resize_axis& axis, std::int64_t first,
                               std::int64_t last) {
  constexpr double grid = 268435456.0; // 2^28
  resize_table table;
  table.taps = rule.mode == interpolation::nearest ? 1 : rule.mode == interpolation::linear ? 2 : 4;
  for (std::int64_t o = first; o <= last; ++o) {
    const double x = std::nearbyint(position(rule.coordinates, axis, o) * grid) / grid;
    const auto taps = taps_at(rule, x, table.taps, axis.in);
    for (int t = 0; t < table.taps; ++t) {
      table.index.push_back(std::clamp<std::int64_t>(taps.first + t, 0, axis.in - 1));
      table.weight.push_back(static_cast<float>(taps.weight[static_cast<std::size_t>(t)]));
    }
  }
  drop_idle_taps(table);
  return table;
}

double intended_scale(float scale) {
  constexpr int largest_denominator = 64;
  for (int q = 1; q <= largest_denominator; ++q) {
    const double fraction = std::nearbyint(static_cast<double>(scale) * q) / q;
    if (static_cast<float>(fraction) == scale) return fraction;
  }
  return scale;
}

} // namespace shoal
