#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace shoal::kernels {

/// Fast Fourier transforms of one length, float or double, of several signals side by side:
/// O(n log n) for every n. Lengths without prime factors above 13 go through Stockham's
/// self-sorting algorithm in mixed radix, others through Bluestein's convolution with a chirp,
/// itself done by transforms of a power of two. Element j of signal l lies at [j * lanes + l], real
/// and imaginary parts apart. A signal's bits do not depend on those beside it.
template <class T>
class fft {
 public:
  explicit fft(std::int64_t length);

  /// Forward, in place. The inverse is the same with `re` and `im` swapped, divided by the length.
  /// `work` has `work_elements(lanes)` elements.
  void run(T* re, T* im, T* work, std::int64_t lanes) const;

  std::int64_t length() const { return length_; }
  std::int64_t work_elements(std::int64_t lanes) const;

 private:
  void run_chirp(T* re, T* im, T* work, std::int64_t lanes) const;

  std::int64_t length_;
  std::vector<int> radices_;             ///< their product is the length; empty for Bluestein
  std::vector<T> cosines_, sines_;       ///< of 2 pi j / length
  std::vector<T> chirp_re_, chirp_im_;   ///< e^(-pi i j^2 / length)
  std::vector<T> filter_re_, filter_im_; ///< the transform of what signals are convolved with
  std::unique_ptr<fft> padded_;
};

extern template class fft<float>;
extern template class fft<double>;

} // namespace shoal::kernels
