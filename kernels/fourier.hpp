#pragma once

#include <cstdint>

namespace shoal {

/// Discrete Fourier transforms of many signals that lie at regular distances in a tensor: signal
/// (o, i) of `outer` times `inner`. X[k] = sum over j of x[j] w^(j k) with w = e^(-2 pi i /
/// length); the inverse has w = e^(2 pi i / length) and divides by `length`. Input 0 has the
/// signals, input 1, if there, a window of `length` factors for each of them.
struct fourier_problem {
  /// Distances, in numbers of the tensor: a complex element is two of them, its parts side by side.
  struct strides {
    std::int64_t outer = 0, inner = 0, element = 0;
  };
  std::int64_t length = 0; ///< of the transform
  std::int64_t given = 0;  ///< elements that a signal has, up to `length`; those after them are 0
  std::int64_t kept = 0;   ///< elements of the transform that are stored
  bool inverse = false;
  bool complex_in = false; ///< signals have an imaginary part
  /// The inverse of a transform of something real, given its first half: what is missing mirrors
  /// it, and real parts alone are stored.
  bool mirrored = false;
  std::size_t window = 0; ///< the input that has `length` factors for every signal; 0: none
  std::int64_t outer = 0, inner = 0;
  strides source, target;
};

} // namespace shoal
