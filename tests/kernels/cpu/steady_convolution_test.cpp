#include "kernels/cpu/convolution.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <random>
#include <vector>

using namespace shoal;

// A crop of an image gives the same bits as the same place in the whole, whatever the extents and
// the threads.

namespace {

struct form {
  std::int64_t in, out, groups, window, stride, dilation, pad;
};

form random_form(std::mt19937& random) {
  const auto below = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
  constexpr std::int64_t channels[] = {1,  3,  4,  8,  12, 16,  20,  24,
                                       32, 40, 48, 64, 96, 128, 256, 512};
  form f{};
  f.in = channels[below(16)];
  f.out = channels[below(16)];
  f.groups = 1;
  if (below(5) == 0)
    f.out = f.groups = f.in;
  else if (below(5) == 0 && f.in % 4 == 0 && f.out % 4 == 0)
    f.groups = 4;
  f.window = 1 + below(5);
  f.stride = 1 + (below(4) == 0);
  f.dilation = 1 + (below(5) == 0);
  f.pad = below(2) == 0 ? 0 : (f.window - 1) / 2 * f.dilation;
  return f;
}

std::int64_t target_of(const form& f, std::int64_t source) {
  return (source + 2 * f.pad - (f.window - 1) * f.dilation - 1) / f.stride + 1;
}

using values = std::vector<float>;

/// The image [in,height,width] in the layout that the kernel wants and back: all are channels_last.
values with_channels_last(const values& plain, std::int64_t channels, std::int64_t pixels) {
  values moved(plain.size());
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t p = 0; p < pixels; ++p)
      moved[static_cast<std::size_t>(p * channels + c)] =
          plain[static_cast<std::size_t>(c * pixels + p)];
  return moved;
}

struct block {
  std::shared_ptr<std::byte> bytes;
  explicit block(std::size_t size)
      : bytes(static_cast<std::byte*>(std::aligned_alloc(64, (size + 127) / 64 * 64)), std::free) {}
};

/// The result, channels last.
values convolve(const form& f, const values& image, std::int64_t height, std::int64_t width,
                const values& weights, const values& bias, int threads) {
  const shape source{1, f.in, height, width};
  const shape target{1, f.out, target_of(f, height), target_of(f, width)};
  const shape kernel_dims{f.out, f.in / f.groups, f.window, f.window};
  const auto k = kernels::make_convolution({.source = source,
                                            .weights = kernel_dims,
                                            .target = target,
                                            .at = {{f.window, f.window},
                                                   {f.stride, f.stride},
                                                   {f.dilation, f.dilation},
                                                   {f.pad, f.pad},
                                                   {f.pad, f.pad}},
                                            .groups = f.groups,
                                            .has_bias = true,
                                            .then = {activation::kind::relu},
                                            .way = kernels::convolution_way::steady},
                                           threads);
  REQUIRE(k);
  REQUIRE(k->input_layout(0) == layout::channels_last);
  REQUIRE(k->output_layout(0) == layout::channels_last);
  const auto in = with_channels_last(image, f.in, height * width);
  values out(static_cast<std::size_t>(target.element_count()));
  const block scratch(k->scratch_bytes());
  const const_view inputs[] = {{in.data(), dtype::f32, layout::channels_last, source},
                               {weights.data(), dtype::f32, layout::plain, kernel_dims},
                               {bias.data(), dtype::f32, layout::plain, {f.out}}};
  const view outputs[] = {{out.data(), dtype::f32, layout::channels_last, target}};
  k->run({inputs, outputs, scratch.bytes.get()});
  return out;
}

values random_values(std::mt19937& random, std::int64_t count) {
  std::uniform_real_distribution<float> spread(-1, 1);
  values all(static_cast<std::size_t>(count));
  for (auto& v : all) v = spread(random);
  return all;
}

} // namespace

TEST_CASE("A steady convolution of a crop gives the bits of the same place in the whole") {
  if (!kernels::has_steady_convolutions()) {
    MESSAGE("skipped: this processor has no AVX-512");
    return;
  }
  std::mt19937 random(5);
  int compared = 0;
  for (int seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    const auto f = random_form(random);
    const auto below = [&](std::int64_t n) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint32_t>(n));
    };
    const auto reach = (f.window - 1) * f.dilation + 1;
    const auto height = reach + 8 + below(40), width = reach + 8 + below(90);
    const auto image = random_values(random, f.in * height * width);
    const auto weights = random_values(random, f.out * f.in / f.groups * f.window * f.window);
    const auto bias = random_values(random, f.out);
    const auto whole = convolve(f, image, height, width, weights, bias, 2);
    // The crop begins where a window of the whole does.
    const auto top = below(height / 2) / f.stride * f.stride;
    const auto left = below(width / 2) / f.stride * f.stride;
    const auto rows = std::min(height - top, reach + below(30));
    const auto columns = std::min(width - left, reach + below(60));
    values crop(static_cast<std::size_t>(f.in * rows * columns));
    for (std::int64_t c = 0; c < f.in; ++c)
      for (std::int64_t y = 0; y < rows; ++y)
        std::memcpy(&crop[static_cast<std::size_t>((c * rows + y) * columns)],
                    &image[static_cast<std::size_t>((c * height + top + y) * width + left)],
                    static_cast<std::size_t>(columns) * sizeof(float));
    const auto part = convolve(f, crop, rows, columns, weights, bias, 1 + seed % 2);
    const auto whole_width = target_of(f, width), part_width = target_of(f, columns);
    const auto inside = [&](std::int64_t at, std::int64_t begin, std::int64_t length,
                            std::int64_t extent) {
      const auto first = at * f.stride - f.pad, last = first + reach - 1;
      return (first >= 0 || begin == 0) && (last < length || begin + length == extent);
    };
    for (std::int64_t y = 0; y < target_of(f, rows); ++y)
      for (std::int64_t x = 0; x < part_width; ++x) {
        if (!inside(y, top, rows, height) || !inside(x, left, columns, width)) continue;
        const auto here = (y * part_width + x) * f.out;
        const auto there = ((y + top / f.stride) * whole_width + x + left / f.stride) * f.out;
        const bool same = std::memcmp(&part[static_cast<std::size_t>(here)],
                                      &whole[static_cast<std::size_t>(there)],
                                      static_cast<std::size_t>(f.out) * sizeof(float)) == 0;
        REQUIRE(same);
        ++compared;
      }
  }
  CHECK(compared > 50'000);
}
