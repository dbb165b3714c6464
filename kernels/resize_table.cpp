#include "kernels/resize_table.hpp"

#include <algorithm>
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
    return axis.out > 1 ? o * (in - 1) / (s * in - 1) : 0;
  case resize_coordinates::crop: {
    const double length = (axis.end - axis.begin) * (in - 1);
    return axis.begin * (in - 1) + (axis.out > 1 ? o * length / (s * in - 1) : length / 2);
  }
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

/// How far a tap may be away, and by what distances are multiplied before they are weighed: an
/// output smaller than its input covers more of it.
struct filter {
  double support = 1, factor = 1;
  int taps = 2;
};

filter filter_of(const resize_rule& rule, const resize_axis& axis) {
  if (rule.mode == interpolation::nearest) return {0, 1, 1};
  filter f;
  if (rule.antialias) f.factor = std::fmin(axis.scale, 1.0);
  f.support = (rule.mode == interpolation::linear ? 1 : 2) / f.factor;
  constexpr double most = 1 << 28; // only where there is no output to need them
  f.taps = 2 * static_cast<int>(std::fmin(std::ceil(f.support), most));
  return f;
}

struct tap_set {
  std::int64_t first = 0; ///< input index of tap 0; may lie outside
  std::vector<double> weight;
};

double weigh(const resize_rule& rule, double distance) {
  if (rule.mode == interpolation::cubic) return keys(rule.cubic_a, distance);
  return std::fmax(0.0, 1 - std::fabs(distance));
}

void normalize(std::vector<double>& weights) {
  double sum = 0;
  for (const auto weight : weights) sum += weight;
  for (auto& weight : weights) weight /= sum;
}

tap_set taps_at(const resize_rule& rule, const filter& f, double x, std::int64_t in) {
  if (rule.mode == interpolation::nearest)
    return {static_cast<std::int64_t>(nearest(rule.rounding, x)), {1}};
  tap_set taps;
  const double below = std::floor(x - f.support), fraction = x - below;
  taps.first = static_cast<std::int64_t>(below) + 1;
  for (int t = 0; t < f.taps; ++t)
    taps.weight.push_back(weigh(rule, (fraction - 1 - t) * f.factor));
  if (rule.antialias) normalize(taps.weight);
  if (!rule.exclude_outside) return taps;
  for (int t = 0; t < f.taps; ++t)
    if (taps.first + t < 0 || taps.first + t >= in) taps.weight[static_cast<std::size_t>(t)] = 0;
  normalize(taps.weight);
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
  table.taps = 1;
  table.weight.assign(index.size(), 1);
  table.index = std::move(index);
}

} // namespace

resize_table make_resize_table(const resize_rule& rule, const resize_axis& axis, std::int64_t first,
                               std::int64_t last, bool keep_idle_taps) {
  constexpr double grid = 268435456.0; // 2^28
  resize_table table;
  const auto f = filter_of(rule, axis);
  table.taps = f.taps;
  for (std::int64_t o = first; o <= last; ++o) {
    const double x = std::nearbyint(position(rule.coordinates, axis, o) * grid) / grid;
    const auto taps = taps_at(rule, f, x, axis.in);
    if (rule.coordinates == resize_coordinates::crop)
      table.outside.push_back(x < 0 || x > static_cast<double>(axis.in - 1));
    for (int t = 0; t < table.taps; ++t) {
      table.index.push_back(std::clamp<std::int64_t>(taps.first + t, 0, axis.in - 1));
      table.weight.push_back(static_cast<float>(taps.weight[static_cast<std::size_t>(t)]));
    }
  }
  if (!keep_idle_taps) drop_idle_taps(table);
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
