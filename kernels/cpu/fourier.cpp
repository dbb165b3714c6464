#include "kernels/cpu/fourier.hpp"

#include "kernels/cpu/fft.hpp"
#include "kernels/cpu/numbered_pieces.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace shoal::kernels {
namespace {

/// Signals that are transformed side by side, so that loops over them vectorise: fewer when they
/// are long, to stay in the cache.
constexpr std::int64_t most_lanes = 16, lane_elements = 16384;

template <class T>
class fast_fourier final : public kernel {
 public:
  fast_fourier(const fourier_problem& p, int threads)
      : p_(p), halved_(!p.complex_in && !p.inverse && p.length % 2 == 0),
        fft_(halved_ ? p.length / 2 : p.length), threads_(std::max(threads, 1)),
        lanes_(std::clamp(lane_elements / p.length, std::int64_t{1},
                          std::min(most_lanes, p.outer * p.inner))) {
    if (!halved_) return;
    for (std::int64_t k = 0; k <= p.length / 2; ++k) {
      const double angle =
          -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(p.length);
      cosines_.push_back(static_cast<T>(std::cos(angle)));
      sines_.push_back(static_cast<T>(std::sin(angle)));
    }
  }

  std::size_t scratch_bytes() const override {
    return static_cast<std::size_t>(threads_ * elements_per_thread()) * sizeof(T);
  }

  void run(const kernel_io& io) override {
    const auto signals = p_.outer * p_.inner;
    numbered_pieces(signals, lanes_, [&](std::int64_t first, std::int64_t last, int thread) {
      T* re = reinterpret_cast<T*>(io.scratch) + thread * elements_per_thread();
      T* im = re + fft_.length() * lanes_;
      const auto count = last - first;
      for (std::int64_t l = 0; l < count; ++l) load(io, first + l, re + l, im + l, count);
      T* work = im + fft_.length() * lanes_;
      if (p_.inverse)
        fft_.run(im, re, work, count);
      else
        fft_.run(re, im, work, count);
      for (std::int64_t l = 0; l < count; ++l) store(io, first + l, re + l, im + l, count);
    });
  }

 private:
  std::int64_t elements_per_thread() const {
    return 2 * fft_.length() * lanes_ + fft_.work_elements(lanes_);
  }
  std::int64_t offset(const fourier_problem::strides& s, std::int64_t signal) const {
    return signal / p_.inner * s.outer + signal % p_.inner * s.inner;
  }

  /// Signal number `signal` to re, im, `step` apart.
  void load(const kernel_io& io, std::int64_t signal, T* re, T* im, std::int64_t step) const {
    const T* from = io.inputs[0].template as<T>() + offset(p_.source, signal);
    const T* window = p_.window == 0 ? nullptr : io.inputs[p_.window].template as<T>();
    const auto at = [&](std::int64_t j, int part) {
      if (j >= p_.given) return T(0);
      const T x = from[j * p_.source.element + part];
      return window == nullptr ? x : x * window[j];
    };
    if (halved_) {
      for (std::int64_t j = 0; j < p_.length / 2; ++j) {
        re[j * step] = at(2 * j, 0);
        im[j * step] = at(2 * j + 1, 0);
      }
      return;
    }
    const auto read = p_.mirrored ? p_.length / 2 + 1 : p_.length;
    for (std::int64_t j = 0; j < read; ++j) {
      re[j * step] = at(j, 0);
      im[j * step] = p_.complex_in ? at(j, 1) : T(0);
    }
    if (!p_.mirrored) return;
    im[0] = 0;
    if (p_.length % 2 == 0) im[p_.length / 2 * step] = 0;
    for (std::int64_t j = read; j < p_.length; ++j) {
      re[j * step] = re[(p_.length - j) * step];
      im[j * step] = -im[(p_.length - j) * step];
    }
  }

  void store(const kernel_io& io, std::int64_t signal, const T* re, const T* im,
             std::int64_t step) const {
    T* to = io.outputs[0].template as<T>() + offset(p_.target, signal);
    if (halved_) return store_halved(to, re, im, step);
    const T factor = p_.inverse ? T(1) / static_cast<T>(p_.length) : T(1);
    for (std::int64_t k = 0; k < p_.kept; ++k, to += p_.target.element) {
      to[0] = re[k * step] * factor;
      if (!p_.mirrored) to[1] = im[k * step] * factor;
    }
  }

  /// From the transform Z of x[2j] + i x[2j + 1]: X[k] = E[k] + w^k O[k] with those of the even and
  /// odd elements, E[k] = (Z[k] + Z*[-k]) / 2 and O[k] = (Z[k] - Z*[-k]) / 2i.
  void store_halved(T* to, const T* re, const T* im, std::int64_t step) const {
    const auto half = p_.length / 2;
    for (std::int64_t k = 0; k < p_.kept; ++k, to += p_.target.element) {
      const bool beyond = k > half; // there, the conjugate of what mirrors it
      const auto j = beyond ? p_.length - k : k;
      const auto a = j % half * step, b = (half - j) % half * step;
      const T even_re = (re[a] + re[b]) / 2, even_im = (im[a] - im[b]) / 2;
      const T odd_re = (im[a] + im[b]) / 2, odd_im = (re[b] - re[a]) / 2;
      const T c = cosines_[static_cast<std::size_t>(j)], s = sines_[static_cast<std::size_t>(j)];
      to[0] = even_re + (odd_re * c - odd_im * s);
      const T imaginary = even_im + (odd_re * s + odd_im * c);
      to[1] = beyond ? -imaginary : imaginary;
    }
  }

  fourier_problem p_;
  bool halved_;
  fft<T> fft_;
  int threads_;
  std::int64_t lanes_;
  std::vector<T> cosines_, sines_;
};

} // namespace

std::unique_ptr<kernel> make_fourier(const fourier_problem& p, dtype type, int threads) {
  if (p.outer * p.inner < 1 || p.length < 1) return nullptr;
  if (type == dtype::f32) return std::make_unique<fast_fourier<float>>(p, threads);
  if (type == dtype::f64) return std::make_unique<fast_fourier<double>>(p, threads);
  return nullptr;
}

} // namespace shoal::kernels
