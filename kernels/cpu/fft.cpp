#include "kernels/cpu/fft.hpp"

#include "kernels/cpu/simd.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

namespace shoal::kernels {
namespace {

constexpr int largest_radix = 13;

/// One pass of Stockham's algorithm: `groups` butterflies of `radix` rows of `stride` numbers, from
/// in to out. cosines, sines are the roots of unity of order `length`, `step` apart for this pass.
template <class T>
struct pass {
  int radix;
  std::int64_t groups, stride;
  const T *cosines, *sines;
  std::int64_t length, step;
  const T *re, *im;
  T *out_re, *out_im;
};

/// out = in * e^(-2 pi i at / length), in place.
template <class T>
SHOAL_INLINE void turn(const pass<T>& p, std::int64_t at, T* re, T* im) {
  if (at == 0) return;
  const T c = p.cosines[at], s = -p.sines[at];
#pragma omp simd
  for (std::int64_t q = 0; q < p.stride; ++q) {
    const T x = re[q], y = im[q];
    re[q] = x * c - y * s;
    im[q] = x * s + y * c;
  }
}

template <class T>
SHOAL_INLINE void halve(const pass<T>& p, std::int64_t g) {
  const auto n = p.stride, next = p.groups * n;
  const T *a = p.re + g * n, *b = p.im + g * n;
  T *x = p.out_re + 2 * g * n, *y = p.out_im + 2 * g * n;
  const T c = p.cosines[g * p.step], s = -p.sines[g * p.step];
#pragma omp simd
  for (std::int64_t q = 0; q < n; ++q) {
    const T re = a[q] - a[next + q], im = b[q] - b[next + q];
    x[q] = a[q] + a[next + q];
    y[q] = b[q] + b[next + q];
    x[n + q] = re * c - im * s;
    y[n + q] = re * s + im * c;
  }
}

template <class T>
SHOAL_INLINE void quarter(const pass<T>& p, std::int64_t g) {
  const auto n = p.stride, next = p.groups * n;
  const T *a = p.re + g * n, *b = p.im + g * n;
  T *x = p.out_re + 4 * g * n, *y = p.out_im + 4 * g * n;
  const auto at = g * p.step;
  const T c1 = p.cosines[at], s1 = -p.sines[at], c2 = p.cosines[2 * at], s2 = -p.sines[2 * at],
          c3 = p.cosines[3 * at], s3 = -p.sines[3 * at];
#pragma omp simd
  for (std::int64_t q = 0; q < n; ++q) {
    const T even_re = a[q] + a[2 * next + q], even_im = b[q] + b[2 * next + q];
    const T less_re = a[q] - a[2 * next + q], less_im = b[q] - b[2 * next + q];
    const T odd_re = a[next + q] + a[3 * next + q], odd_im = b[next + q] + b[3 * next + q];
    const T turned_re = b[next + q] - b[3 * next + q], turned_im = a[3 * next + q] - a[next + q];
    const T re1 = less_re + turned_re, im1 = less_im + turned_im;
    const T re2 = even_re - odd_re, im2 = even_im - odd_im;
    const T re3 = less_re - turned_re, im3 = less_im - turned_im;
    x[q] = even_re + odd_re;
    y[q] = even_im + odd_im;
    x[n + q] = re1 * c1 - im1 * s1;
    y[n + q] = re1 * s1 + im1 * c1;
    x[2 * n + q] = re2 * c2 - im2 * s2;
    y[2 * n + q] = re2 * s2 + im2 * c2;
    x[3 * n + q] = re3 * c3 - im3 * s3;
    y[3 * n + q] = re3 * s3 + im3 * c3;
  }
}

/// Any radix, by the definition.
template <class T>
SHOAL_INLINE void butterfly(const pass<T>& p, std::int64_t g) {
  const auto n = p.stride, next = p.groups * n, root = p.length / p.radix;
  for (int j = 0; j < p.radix; ++j) {
    const T *a = p.re + g * n, *b = p.im + g * n;
    T *x = p.out_re + (p.radix * g + j) * n, *y = p.out_im + (p.radix * g + j) * n;
    std::copy_n(a, n, x);
    std::copy_n(b, n, y);
    for (int k = 1; k < p.radix; ++k) {
      a += next;
      b += next;
      const T c = p.cosines[j * k % p.radix * root], s = -p.sines[j * k % p.radix * root];
#pragma omp simd
      for (std::int64_t q = 0; q < n; ++q) {
        x[q] += a[q] * c - b[q] * s;
        y[q] += a[q] * s + b[q] * c;
      }
    }
    turn(p, g * j * p.step, x, y);
  }
}

template <class T>
SHOAL_INLINE void run_pass(const pass<T>& p) {
  for (std::int64_t g = 0; g < p.groups; ++g)
    if (p.radix == 4)
      quarter(p, g);
    else if (p.radix == 2)
      halve(p, g);
    else
      butterfly(p, g);
}

SHOAL_MULTIVERSION
void run_one(const pass<float>& p) {
  run_pass(p);
}
SHOAL_MULTIVERSION
void run_one(const pass<double>& p) {
  run_pass(p);
}

/// x = (x + i y) (c + i s) for one element of all signals, from (a, b).
template <class T>
void multiply(const T* a, const T* b, T c, T s, T* x, T* y, std::int64_t lanes) {
  for (std::int64_t l = 0; l < lanes; ++l) {
    const T re = a[l] * c - b[l] * s, im = a[l] * s + b[l] * c;
    x[l] = re;
    y[l] = im;
  }
}

/// Fours first: they are fastest, and later passes have longer rows for the others.
std::vector<int> factors(std::int64_t length) {
  std::vector<int> found;
  for (const int radix : {4, 2, 3, 5, 7, 11, largest_radix})
    for (; length % radix == 0; length /= radix) found.push_back(radix);
  if (length > 1) found.clear();
  return found;
}

} // namespace

template <class T>
fft<T>::fft(std::int64_t length) : length_(length), radices_(factors(length)) {
  const auto angle = [&](std::int64_t j, std::int64_t of) {
    return 2 * std::numbers::pi * static_cast<double>(j) / static_cast<double>(of);
  };
  if (length == 1) return;
  if (!radices_.empty()) {
    for (std::int64_t j = 0; j < length; ++j) {
      cosines_.push_back(static_cast<T>(std::cos(angle(j, length))));
      sines_.push_back(static_cast<T>(std::sin(angle(j, length))));
    }
    return;
  }
  const auto size =
      static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * length - 1)));
  padded_ = std::make_unique<fft>(size);
  filter_re_.assign(static_cast<std::size_t>(size), 0);
  filter_im_ = filter_re_;
  std::int64_t square = 0; // j^2 modulo 2 length
  for (std::int64_t j = 0; j < length; ++j) {
    const double c = std::cos(angle(square, 2 * length)), s = std::sin(angle(square, 2 * length));
    chirp_re_.push_back(static_cast<T>(c));
    chirp_im_.push_back(static_cast<T>(-s));
    for (const auto at : {j, (size - j) % size}) {
      filter_re_[static_cast<std::size_t>(at)] = static_cast<T>(c / static_cast<double>(size));
      filter_im_[static_cast<std::size_t>(at)] = static_cast<T>(s / static_cast<double>(size));
    }
    square = (square + 2 * j + 1) % (2 * length);
  }
  std::vector<T> work(static_cast<std::size_t>(padded_->work_elements(1)));
  padded_->run(filter_re_.data(), filter_im_.data(), work.data(), 1);
}

template <class T>
std::int64_t fft<T>::work_elements(std::int64_t lanes) const {
  if (padded_) return 2 * padded_->length() * lanes + padded_->work_elements(lanes);
  return 2 * length_ * lanes;
}

template <class T>
void fft<T>::run(T* re, T* im, T* work, std::int64_t lanes) const {
  if (padded_) return run_chirp(re, im, work, lanes);
  T *from_re = re, *from_im = im, *to_re = work, *to_im = work + length_ * lanes;
  std::int64_t done = 1;
  for (const int radix : radices_) {
    run_one(pass<T>{radix, length_ / (done * radix), done * lanes, cosines_.data(), sines_.data(),
                    length_, done, from_re, from_im, to_re, to_im});
    done *= radix;
    std::swap(from_re, to_re);
    std::swap(from_im, to_im);
  }
  if (from_re == re) return;
  std::copy_n(from_re, length_ * lanes, re);
  std::copy_n(from_im, length_ * lanes, im);
}

template <class T>
void fft<T>::run_chirp(T* re, T* im, T* work, std::int64_t lanes) const {
  const auto size = padded_->length();
  T *a = work, *b = a + size * lanes, *rest = b + size * lanes;
  const auto at = [](const std::vector<T>& v, std::int64_t j) {
    return v[static_cast<std::size_t>(j)];
  };
  for (std::int64_t j = 0; j < length_; ++j)
    multiply(re + j * lanes, im + j * lanes, at(chirp_re_, j), at(chirp_im_, j), a + j * lanes,
             b + j * lanes, lanes);
  std::fill(a + length_ * lanes, a + size * lanes, T(0));
  std::fill(b + length_ * lanes, b + size * lanes, T(0));
  padded_->run(a, b, rest, lanes);
  for (std::int64_t j = 0; j < size; ++j)
    multiply(a + j * lanes, b + j * lanes, at(filter_re_, j), at(filter_im_, j), a + j * lanes,
             b + j * lanes, lanes);
  padded_->run(b, a, rest, lanes); // the inverse; the filter has been divided by the size
  for (std::int64_t j = 0; j < length_; ++j)
    multiply(a + j * lanes, b + j * lanes, at(chirp_re_, j), at(chirp_im_, j), re + j * lanes,
             im + j * lanes, lanes);
}

template class fft<float>;
template class fft<double>;

} // namespace shoal::kernels
