#include "kernels/cpu/normalization.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

#include <cmath>

namespace shoal::kernels {
namespace {

/// Sums run in this many lanes of float for a stretch, then in double: always the same order.
constexpr std::int64_t lanes = 16;
constexpr std::int64_t stretch = 64 * lanes;

/// The sum of f(x[i]).
template <class F>
SHOAL_INLINE double sum_of(const float* x, std::int64_t count, F f) {
  double sum = 0;
  for (std::int64_t start = 0; start < count; start += stretch) {
    const auto end = std::min(count, start + stretch), even = start + (end - start) / lanes * lanes;
    float part[lanes] = {};
    for (auto i = start; i < even; i += lanes)
      for (std::int64_t lane = 0; lane < lanes; ++lane) part[lane] += f(x[i + lane]);
    for (const float lane : part) sum += static_cast<double>(lane);
    for (auto i = even; i < end; ++i) sum += static_cast<double>(f(x[i]));
  }
  return sum;
}

SHOAL_MULTIVERSION
double sum_of_values(const float* x, std::int64_t count) {
  return sum_of(x, count, [](float value) { return value; });
}

SHOAL_MULTIVERSION
double sum_of_squares(const float* x, std::int64_t count, float mean) {
  return sum_of(x, count, [mean](float value) { return (value - mean) * (value - mean); });
}

SHOAL_MULTIVERSION
void normalize(const float* x, float* y, std::int64_t count, float mean, float factor,
               float shift) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = (x[i] - mean) * factor + shift;
}

class instance_normalization final : public kernel {
 public:
  explicit instance_normalization(double epsilon) : epsilon_(epsilon) {}

  void run(const kernel_io& io) override {
    const auto& dims = io.inputs[0].dims;
    const auto channels = dims[1], inner = dims.element_count(2, dims.rank());
    const auto* scale = io.inputs[1].as<float>();
    const auto* shift = io.inputs[2].as<float>();
    const auto grain = parallel_threshold / std::max<std::int64_t>(inner, 1);
    parallel_pieces(dims[0] * channels, grain, [&](std::int64_t first, std::int64_t last) {
      for (auto row = first; row < last; ++row) {
        const auto* x = io.inputs[0].as<float>() + row * inner;
        const auto count = static_cast<double>(inner);
        const double mean = sum_of_values(x, inner) / count;
        const double variance = sum_of_squares(x, inner, static_cast<float>(mean)) / count;
        const auto c = row % channels;
        normalize(x, io.outputs[0].as<float>() + row * inner, inner, static_cast<float>(mean),
                  static_cast<float>(scale[c] / std::sqrt(variance + epsilon_)), shift[c]);
      }
    });
  }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  double epsilon_;
};

} // namespace

std::unique_ptr<kernel> make_instance_normalization(double epsilon) {
  return std::make_unique<instance_normalization>(epsilon);
}

} // namespace shoal::kernels
