#include "kernels/reference/deformable_convolution.hpp"

#include "kernels/reference/floating.hpp"

#include <cmath>

namespace shoal::reference {
namespace {

/// The image between its elements.
template <class T>
double interpolated(const T* image, std::int64_t height, std::int64_t width, double y, double x) {
  // Also keeps what is cast to an integer small; a NaN is outside, too.
  if (!(y > -1 && x > -1 && y < static_cast<double>(height) && x < static_cast<double>(width)))
    return 0;
  const double top = std::floor(y), left = std::floor(x);
  const auto at = [&](double row, double column) {
    const auto i = static_cast<std::int64_t>(row), j = static_cast<std::int64_t>(column);
    return i < 0 || j < 0 || i >= height || j >= width ? 0.0
                                                       : static_cast<double>(image[i * width + j]);
  };
  const double down = y - top, right = x - left;
  return (1 - down) * ((1 - right) * at(top, left) + right * at(top, left + 1)) +
         down * ((1 - right) * at(top + 1, left) + right * at(top + 1, left + 1));
}

template <class T>
class convolution {
 public:
  convolution(const deformable_problem& p, const kernel_io& io) : p_(p), io_(io) {}

  /// Output element (n, m, i, j).
  double operator()(std::int64_t n, std::int64_t m, std::int64_t i, std::int64_t j) const {
    const auto channels = io_.inputs[1].dims[1];
    const auto first = m / (io_.inputs[1].dims[0] / p_.groups) * channels;
    const T* bias = io_.inputs.size() > 3 ? io_.inputs[3].as<T>() : nullptr;
    double sum = bias == nullptr ? 0 : static_cast<double>(bias[m]);
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t k = 0; k < taps(); ++k)
        sum += static_cast<double>(io_.inputs[1].as<T>()[(m * channels + c) * taps() + k]) *
               tap(n, first + c, k, i, j);
    return sum;
  }

 private:
  std::int64_t taps() const { return p_.at.kernel[0] * p_.at.kernel[1]; }

  /// What tap `k` of the window at (i, j) sees of channel `c`.
  double tap(std::int64_t n, std::int64_t c, std::int64_t k, std::int64_t i, std::int64_t j) const {
    const auto& x = io_.inputs[0].dims;
    const auto& out = io_.outputs[0].dims;
    const auto plane = out[2] * out[3], place = i * out[3] + j;
    const auto group = n * p_.offset_groups + c / (x[1] / p_.offset_groups);
    const T* offset = io_.inputs[2].as<T>() + (group * taps() + k) * 2 * plane + place;
    const auto& w = p_.at;
    const auto row = i * w.stride[0] - w.pad_begin[0] + k / w.kernel[1] * w.dilation[0];
    const auto column = j * w.stride[1] - w.pad_begin[1] + k % w.kernel[1] * w.dilation[1];
    const double seen =
        interpolated(io_.inputs[0].as<T>() + (n * x[1] + c) * x[2] * x[3], x[2], x[3],
                     static_cast<double>(row) + static_cast<double>(*offset),
                     static_cast<double>(column) + static_cast<double>(offset[plane]));
    const T* mask = io_.inputs.size() > 4 ? io_.inputs[4].as<T>() : nullptr;
    return mask == nullptr ? seen
                           : seen * static_cast<double>(mask[(group * taps() + k) * plane + place]);
  }

  const deformable_problem& p_;
  const kernel_io& io_;
};

} // namespace

void deformable_convolution(const deformable_problem& p, const kernel_io& io) {
  visit_floating(io.inputs[0].type, [&]<class T>(std::type_identity<T>) {
    const convolution<T> at(p, io);
    const auto& out = io.outputs[0].dims;
    T* y = io.outputs[0].as<T>();
    for (std::int64_t n = 0; n < out[0]; ++n)
      for (std::int64_t m = 0; m < out[1]; ++m)
        for (std::int64_t i = 0; i < out[2]; ++i)
          for (std::int64_t j = 0; j < out[3]; ++j) *y++ = rounded<T>(at(n, m, i, j));
  });
}

} // namespace shoal::reference
