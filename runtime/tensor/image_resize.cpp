#include "runtime/tensor/image_resize.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

/// What one axis of the result takes from that axis of the source: for every result index a run
/// of source indices and their weights.
struct axis_taps {
  struct run {
    int first = 0;
    int count = 0;
    std::size_t weights = 0; ///< index of the first weight
  };
  std::vector<run> runs;
  std::vector<float> weights;
};

double cubic(double d) {
  d = std::abs(d);
  if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
  if (d < 2) return ((-0.5 * d + 2.5) * d - 4) * d + 2;
  return 0;
}

/// Adds the run of weights `weight(i)` over [low, high), cut to what exists, normalised to sum 1.
template <class Weight>
void add_run(axis_taps& taps, double low, double high, int in, Weight weight) {
  const int first = std::clamp(static_cast<int>(std::floor(low)), 0, in - 1);
  const int last = std::clamp(static_cast<int>(std::ceil(high)), first + 1, in);
  double sum = 0;
  for (int i = first; i < last; ++i) sum += weight(i);
  taps.runs.push_back({first, last - first, taps.weights.size()});
  for (int i = first; i < last; ++i) taps.weights.push_back(static_cast<float>(weight(i) / sum));
}

axis_taps make_taps(int in, int out, resize_filter filter, bool antialias) {
  axis_taps taps;
  taps.runs.reserve(static_cast<std::size_t>(out));
  const double scale = static_cast<double>(in) / out;
  const double stretch = antialias ? std::max(1.0, scale) : 1.0;
  for (int o = 0; o < out; ++o) {
    const double centre = (o + 0.5) * scale;
    const double begin = static_cast<double>(o) * in / out;
    const double end = static_cast<double>(o + 1) * in / out;
    switch (filter) {
    case resize_filter::nearest: {
      const auto i = static_cast<int>((2 * std::int64_t{o} + 1) * in / (2 * std::int64_t{out}));
      add_run(taps, i, i + 1, in, [](int) { return 1.0; });
      break;
    }
    case resize_filter::bilinear:
      add_run(taps, centre - stretch, centre + stretch, in,
              [&](int i) { return std::max(0.0, 1.0 - std::abs((i + 0.5 - centre) / stretch)); });
      break;
    case resize_filter::bicubic:
      add_run(taps, centre - 2 * stretch, centre + 2 * stretch, in,
              [&](int i) { return cubic((i + 0.5 - centre) / stretch); });
      break;
    case resize_filter::area:
      add_run(taps, begin, end, in, [&](int i) {
        return std::max(0.0, std::min(end, i + 1.0) - std::max<double>(begin, i));
      });
      break;
    }
  }
  return taps;
}

/// One row of pixels to one row of floats; `Channels` at compile time keeps the sums in registers.
template <int Channels>
void resize_row(const std::uint8_t* from, float* to, const axis_taps& taps) {
  for (const auto& run : taps.runs) {
    float sums[Channels] = {};
    const float* weight = taps.weights.data() + run.weights;
    const std::uint8_t* pixel = from + std::ptrdiff_t{run.first} * Channels;
    for (int i = 0; i < run.count; ++i, pixel += Channels)
      for (int c = 0; c < Channels; ++c) sums[c] += weight[i] * static_cast<float>(pixel[c]);
    for (int c = 0; c < Channels; ++c) *to++ = sums[c];
  }
}

void resize_row(const std::uint8_t* from, float* to, const axis_taps& taps, int channels) {
  if (channels == 1)
    resize_row<1>(from, to, taps);
  else if (channels == 3)
    resize_row<3>(from, to, taps);
  else
    resize_row<4>(from, to, taps);
}

result<void> check_pixels(std::int64_t width, std::int64_t height) {
  if (width < 1 || height < 1)
    return fail(errc::invalid_argument, "cannot resize to {} x {} pixels", width, height);
  if (width * height > static_cast<std::int64_t>(default_max_pixels))
    return fail(errc::resource_exhausted, "resizing takes {} x {} pixels, more than the {} allowed",
                width, height, default_max_pixels);
  return {};
}

} // namespace

result<tensor> resize_image(const image& picture, int width, int height, resize_filter filter,
                            bool antialias) {
  SHOAL_CHECK(check_image(picture));
  SHOAL_CHECK(check_pixels(width, height));
  SHOAL_CHECK(check_pixels(width, picture.height)); // between the two steps
  const auto across = make_taps(picture.width, width, filter, antialias);
  const auto down = make_taps(picture.height, height, filter, antialias);
  const std::ptrdiff_t row = std::ptrdiff_t{width} * picture.channels;
  const std::ptrdiff_t source_row = std::ptrdiff_t{picture.width} * picture.channels;
  SHOAL_TRY(auto narrow, tensor::allocate({dtype::f32, {picture.height, width, picture.channels}}));
  SHOAL_TRY(auto resized, tensor::allocate({dtype::f32, {height, width, picture.channels}}));
  float* between = narrow.mutable_values<float>().data();
  for (int y = 0; y < picture.height; ++y)
    resize_row(picture.pixels.data() + y * source_row, between + y * row, across, picture.channels);
  float* to = resized.mutable_values<float>().data();
  for (const auto& run : down.runs) {
    std::fill_n(to, row, 0.0f);
    for (int i = 0; i < run.count; ++i) {
      const float weight = down.weights[run.weights + static_cast<std::size_t>(i)];
      const float* from = between + (run.first + i) * row;
      for (std::ptrdiff_t x = 0; x < row; ++x) to[x] += weight * from[x];
    }
    to += row;
  }
  return resized;
}

} // namespace shoal
