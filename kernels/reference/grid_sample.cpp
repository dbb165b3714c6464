#include "kernels/reference/grid_sample.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace shoal::reference {
namespace {

constexpr int max_axes = 3, max_taps = 4;
constexpr std::int64_t outside = -1;

/// The elements of one axis that a place between them is made of.
struct axis_taps {
  int count = 0;
  std::array<std::int64_t, max_taps> index{};
  std::array<double, max_taps> weight{};
};

/// The same for all axes together, as offsets into one channel; elements outside are left out.
struct image_taps {
  int count = 0;
  std::array<std::int64_t, 64> offset{};
  std::array<double, 64> weight{};
};

double reflect(double x, double low, double high) {
  const double range = high - low;
  if (range <= 0) return low;
  const double distance = x < low ? low - x : x > high ? x - high : -1;
  if (distance < 0) return x;
  const double turns = std::floor(distance / range), rest = distance - turns * range;
  const bool from_own_end = std::fmod(turns, 2) == 0;
  return (x < low) == from_own_end ? low + rest : high - rest;
}

/// One axis of the image.
struct sampled_axis {
  std::int64_t extent;
  double low, high; ///< where it is mirrored

  sampled_axis(std::int64_t n, bool align_corners)
      : extent(n), low(align_corners ? 0 : -0.5),
        high(static_cast<double>(n) - (align_corners ? 1 : 0.5)) {}

  std::int64_t element(sample_padding padding, std::int64_t i) const {
    if (i >= 0 && i < extent) return i;
    if (padding == sample_padding::zeros) return outside;
    if (padding == sample_padding::border) return std::clamp<std::int64_t>(i, 0, extent - 1);
    const auto mirrored = static_cast<std::int64_t>(reflect(static_cast<double>(i), low, high));
    return std::clamp<std::int64_t>(mirrored, 0, extent - 1);
  }
};

double position(const grid_sample_rule& rule, const sampled_axis& axis, double coordinate) {
  constexpr double far = 1e12; // so that what is far away, or no number, is still an integer
  const auto n = static_cast<double>(axis.extent);
  double x = rule.align_corners ? (coordinate + 1) / 2 * (n - 1) : ((coordinate + 1) * n - 1) / 2;
  x = std::fmin(std::fmax(x, -far), far);
  if (rule.mode == interpolation::nearest) x = std::nearbyint(x);
  // Of a cubic's four elements each is moved by itself, as PyTorch and ONNX Runtime have it.
  if (rule.mode == interpolation::cubic || (x >= axis.low && x <= axis.high)) return x;
  if (rule.padding == sample_padding::border) return std::clamp<double>(x, 0, n - 1);
  return rule.padding == sample_padding::reflection ? reflect(x, axis.low, axis.high) : x;
}

/// Keys, "Cubic convolution interpolation for digital image processing" (1981).
double keys(double t) {
  constexpr double a = -0.75;
  t = std::fabs(t);
  return t <= 1 ? ((a + 2) * t - (a + 3)) * t * t + 1 : ((a * t - 5 * a) * t + 8 * a) * t - 4 * a;
}

axis_taps taps_of(const grid_sample_rule& rule, const sampled_axis& axis, double coordinate) {
  const double x = position(rule, axis, coordinate);
  axis_taps taps;
  if (rule.mode == interpolation::nearest) {
    taps.count = 1;
    taps.index[0] = axis.element(rule.padding, static_cast<std::int64_t>(x));
    taps.weight[0] = 1;
    return taps;
  }
  taps.count = rule.mode == interpolation::linear ? 2 : 4;
  const double below = std::floor(x);
  const auto first = static_cast<std::int64_t>(below) - (taps.count / 2 - 1);
  for (int t = 0; t < taps.count; ++t) {
    const double distance = x - static_cast<double>(first + t);
    const auto at = static_cast<std::size_t>(t);
    taps.index[at] = axis.element(rule.padding, first + t);
    taps.weight[at] = taps.count == 2 ? 1 - std::fabs(distance) : keys(distance);
  }
  return taps;
}

image_taps combine(std::span<const axis_taps> axes, std::span<const std::int64_t> extents) {
  image_taps all;
  all.count = 1;
  all.weight[0] = 1;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    image_taps next;
    for (int i = 0; i < all.count; ++i)
      for (int t = 0; t < axes[a].count; ++t) {
        const auto from = static_cast<std::size_t>(i), tap = static_cast<std::size_t>(t);
        // What has no part in the sum may be infinite.
        if (axes[a].index[tap] == outside || axes[a].weight[tap] == 0) continue;
        const auto to = static_cast<std::size_t>(next.count++);
        next.offset[to] = all.offset[from] * extents[a] + axes[a].index[tap];
        next.weight[to] = all.weight[from] * axes[a].weight[tap];
      }
    all = next;
  }
  return all;
}

} // namespace

void grid_sample(const grid_sample_rule& rule, const const_view& x, const const_view& grid,
                 const view& y) {
  const auto extents = x.dims.span().subspan(2);
  const auto axes = extents.size();
  const auto channels = x.dims[1], pixels = x.dims.element_count(2, x.dims.rank());
  const auto places = y.dims.element_count(2, y.dims.rank());
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < y.dims[0] * places; ++i) {
      std::array<axis_taps, max_axes> per_axis;
      for (std::size_t a = 0; a < axes; ++a)
        per_axis[a] = taps_of(rule, {extents[a], rule.align_corners},
                              element(grid, (i + 1) * static_cast<std::int64_t>(axes) - 1 -
                                                static_cast<std::int64_t>(a)));
      const auto taps = combine({per_axis.data(), axes}, extents);
      const auto n = i / places;
      for (std::int64_t c = 0; c < channels; ++c) {
        const T* from = x.as<T>() + (n * channels + c) * pixels;
        double sum = 0;
        for (std::size_t t = 0; t < static_cast<std::size_t>(taps.count); ++t)
          sum += taps.weight[t] * static_cast<double>(from[taps.offset[t]]);
        y.as<T>()[(n * channels + c) * places + i % places] = rounded<T>(sum);
      }
    }
  });
}

} // namespace shoal::reference
