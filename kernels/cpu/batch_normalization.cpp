#include "kernels/cpu/normalization.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

#include <cmath>
#include <vector>

namespace shoal::kernels {
namespace {

/// y = x * factor + offset, the coefficients the same for the whole row.
SHOAL_MULTIVERSION
void transform_row(const float* x, float* y, std::int64_t count, float factor, float offset) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] * factor + offset;
}

/// The same for `pixels` rows of `channels` elements, each element with coefficients of its own.
SHOAL_MULTIVERSION
void transform_pixels(const float* x, float* y, std::int64_t pixels, std::int64_t channels,
                      const float* factors, const float* offsets) {
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::int64_t c = 0; c < channels; ++c)
      y[p * channels + c] = x[p * channels + c] * factors[c] + offsets[c];
}

constexpr std::int64_t widest_block = 16;

class batch_normalization final : public kernel {
 public:
  batch_normalization(const shape& dims, const batch_coefficients& constants, double epsilon,
                      layout format)
      : batch_(dims[0]), channels_(dims[1]), inner_(dims.element_count(2, dims.rank())),
        stored_channels_((channels_ + widest_block - 1) / widest_block * widest_block),
        epsilon_(epsilon), format_(format) {
    if (constants.scale == nullptr) return;
    fixed_.resize(static_cast<std::size_t>(2 * stored_channels_));
    combine(constants, fixed_.data());
  }

  void run(const kernel_io& io) override {
    const float* factors = fixed_.data();
    if (fixed_.empty()) {
      auto* fresh = reinterpret_cast<float*>(io.scratch);
      combine({io.inputs[1].as<float>(), io.inputs[2].as<float>(), io.inputs[3].as<float>(),
               io.inputs[4].as<float>()},
              fresh);
      factors = fresh;
    }
    transform(io.inputs[0].as<float>(), io.outputs[0].as<float>(), factors,
              factors + stored_channels_);
  }

  layout input_layout(std::size_t index) const override {
    return index == 0 ? format_ : layout::plain;
  }
  layout output_layout(std::size_t) const override { return format_; }
  std::size_t scratch_bytes() const override {
    return fixed_.empty() ? static_cast<std::size_t>(2 * stored_channels_) * sizeof(float) : 0;
  }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  /// Factors, then offsets; zeros for the channels that pad a block.
  void combine(const batch_coefficients& from, float* to) const {
    std::fill_n(to, 2 * stored_channels_, 0.0f);
    for (std::int64_t c = 0; c < channels_; ++c) {
      const double factor =
          from.scale[c] / std::sqrt(static_cast<double>(from.variance[c]) + epsilon_);
      to[c] = static_cast<float>(factor);
      to[stored_channels_ + c] = static_cast<float>(from.shift[c] - from.mean[c] * factor);
    }
  }

  void transform(const float* x, float* y, const float* factors, const float* offsets) const {
    if (format_ == layout::plain) {
      const auto grain = parallel_threshold / std::max<std::int64_t>(inner_, 1);
      parallel_pieces(batch_ * channels_, grain, [&](std::int64_t first, std::int64_t last) {
        for (auto row = first; row < last; ++row)
          transform_row(x + row * inner_, y + row * inner_, inner_, factors[row % channels_],
                        offsets[row % channels_]);
      });
      return;
    }
    const bool nested = format_ == layout::blocked_8 || format_ == layout::blocked_16;
    const auto width = !nested ? channels_ : format_ == layout::blocked_8 ? 8 : 16;
    const auto blocks = nested ? (channels_ + width - 1) / width : 1;
    // Pixels of one block after the other; a piece never crosses from one to the next.
    const auto grain = std::max<std::int64_t>(parallel_threshold / width, 1);
    const auto pieces = (inner_ + grain - 1) / grain;
    parallel_pieces(batch_ * blocks * pieces, 1, [&](std::int64_t first, std::int64_t last) {
      for (auto piece = first; piece < last; ++piece) {
        const auto block = piece / pieces, pixel = piece % pieces * grain;
        const auto start = (block * inner_ + pixel) * width, channel = block % blocks * width;
        transform_pixels(x + start, y + start, std::min(grain, inner_ - pixel), width,
                         factors + channel, offsets + channel);
      }
    });
  }

  std::int64_t batch_, channels_, inner_, stored_channels_;
  double epsilon_;
  layout format_;
  std::vector<float> fixed_; ///< empty when the coefficients come with every run
};

} // namespace

std::unique_ptr<kernel> make_batch_normalization(const shape& dims,
                                                 const batch_coefficients& constants,
                                                 double epsilon, layout produced) {
  return std::make_unique<batch_normalization>(dims, constants, epsilon, produced);
}

} // namespace shoal::kernels
