#include "kernels/cpu/deformable_convolution.hpp"

#include "kernels/cpu/matmul.hpp"
#include "kernels/cpu/parallel.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::kernels {
namespace {

/// Places whose corners are computed together, before all channels are read at them.
constexpr std::int64_t chunk = 64;

/// The four elements around each of some points of an image, and their weights: 0 for those
/// outside, which are not read.
struct corners {
  std::int64_t at[4][chunk];
  float weight[4][chunk];

  void set(std::int64_t i, float y, float x, std::int64_t height, std::int64_t width, float mask) {
    const auto h = static_cast<float>(height), w = static_cast<float>(width);
    const bool inside = y > -1 && x > -1 && y < h && x < w; // false for NaN
    const float top = inside ? std::floor(y) : -2, left = inside ? std::floor(x) : -2;
    const float down = y - top, right = x - left;
    for (int corner = 0; corner < 4; ++corner) {
      const auto row = static_cast<std::int64_t>(top) + corner / 2;
      const auto column = static_cast<std::int64_t>(left) + corner % 2;
      const bool exists = row >= 0 && column >= 0 && row < height && column < width;
      at[corner][i] = exists ? row * width + column : 0;
      const float factor =
          (corner / 2 == 0 ? 1 - down : down) * (corner % 2 == 0 ? 1 - right : right);
      weight[corner][i] = exists ? factor * mask : 0;
    }
  }

  /// What the channel `image` has at the first `count` points.
  void gather(const float* image, std::int64_t count, float* out) const {
    for (std::int64_t i = 0; i < count; ++i) {
      float sum = 0;
      for (int corner = 0; corner < 4; ++corner) {
        const float w = weight[corner][i], seen = image[at[corner][i]];
        sum += w == 0 ? 0 : w * seen; // an infinity that is not meant must not turn into NaN
      }
      out[i] = sum;
    }
  }
};

class gathered_convolution final : public kernel {
 public:
  gathered_convolution(const reference::deformable_problem& p, const shape& x, const shape& weights,
                       const shape& y, std::unique_ptr<packing_kernel> product)
      : p_(p), x_(x), y_(y), places_(y[2] * y[3]), taps_(weights[2] * weights[3]),
        product_(std::move(product)) {}

  std::size_t scratch_bytes() const override { return seen_bytes() + product_->scratch_bytes(); }

  void run(const kernel_io& io) override {
    auto* seen = reinterpret_cast<float*>(io.scratch);
    const auto image = x_[1] * x_[2] * x_[3], out = y_[1] * places_;
    for (std::int64_t n = 0; n < x_[0]; ++n) {
      gather(io, n, io.inputs[0].as<float>() + n * image, seen);
      float* y = io.outputs[0].as<float>() + n * out;
      const const_view inputs[] = {io.inputs[1], {seen, dtype::f32, layout::plain, {}}};
      const view outputs[] = {{y, dtype::f32, layout::plain, {}}};
      product_->run({inputs, outputs, io.scratch + seen_bytes()});
      if (io.inputs.size() > 3 && io.inputs[3].data != nullptr)
        add_bias(io.inputs[3].as<float>(), y);
    }
  }

 private:
  std::size_t seen_bytes() const {
    return (static_cast<std::size_t>(x_[1] * taps_ * places_) * sizeof(float) + 63) / 64 * 64;
  }

  void add_bias(const float* bias, float* y) const {
    for (std::int64_t m = 0; m < y_[1]; ++m)
      for (std::int64_t i = 0; i < places_; ++i) y[m * places_ + i] += bias[m];
  }

  /// seen[channel, tap, place] of image `n`, chunk by chunk.
  void gather(const kernel_io& io, std::int64_t n, const float* image, float* seen) const {
    const auto chunks = (places_ + chunk - 1) / chunk;
    const auto channels = x_[1] / p_.offset_groups;
    const auto work = chunk * channels * 8;
    parallel_pieces(p_.offset_groups * taps_ * chunks,
                    std::max<std::int64_t>(1, parallel_threshold / work),
                    [&](std::int64_t first, std::int64_t last) {
                      corners found;
                      for (auto i = first; i < last; ++i) {
                        const auto group = i / (taps_ * chunks), tap = i / chunks % taps_;
                        const auto from = i % chunks * chunk;
                        const auto count = std::min(chunk, places_ - from);
                        find(io, n * p_.offset_groups + group, tap, from, count, found);
                        for (auto c = group * channels; c < (group + 1) * channels; ++c)
                          found.gather(image + c * x_[2] * x_[3], count,
                                       seen + (c * taps_ + tap) * places_ + from);
                      }
                    });
  }

  /// Where `tap` of the windows at places from, from + 1, ... looks, by offsets number `group`.
  void find(const kernel_io& io, std::int64_t group, std::int64_t tap, std::int64_t from,
            std::int64_t count, corners& found) const {
    const float* dy = io.inputs[2].as<float>() + (group * taps_ + tap) * 2 * places_;
    const float* dx = dy + places_;
    const float* mask = io.inputs.size() > 4 ? io.inputs[4].as<float>() : nullptr;
    if (mask != nullptr) mask += (group * taps_ + tap) * places_;
    const auto& w = p_.at;
    const auto row = tap / w.kernel[1] * w.dilation[0] - w.pad_begin[0];
    const auto column = tap % w.kernel[1] * w.dilation[1] - w.pad_begin[1];
    for (std::int64_t i = 0; i < count; ++i) {
      const auto place = from + i;
      const auto y = static_cast<float>(place / y_[3] * w.stride[0] + row) + dy[place];
      const auto x = static_cast<float>(place % y_[3] * w.stride[1] + column) + dx[place];
      found.set(i, y, x, x_[2], x_[3], mask == nullptr ? 1 : mask[place]);
    }
  }

  reference::deformable_problem p_;
  shape x_, y_;
  std::int64_t places_, taps_;
  std::unique_ptr<packing_kernel> product_;
};

} // namespace

std::unique_ptr<kernel> make_deformable_convolution(const reference::deformable_problem& p,
                                                    const shape& x, const shape& weights,
                                                    const shape& y, int threads) {
  auto product = make_matmul({.a_batch = {p.groups},
                              .b_batch = {p.groups},
                              .rows = weights[0] / p.groups,
                              .columns = y[2] * y[3],
                              .length = weights.element_count(1, 4)},
                             threads);
  if (product == nullptr || x[0] < 1) return nullptr;
  return std::make_unique<gathered_convolution>(p, x, weights, y, std::move(product));
}

} // namespace shoal::kernels
