#pragma once

#include <cstdint>

namespace shoal {

/// Functions of one element. `p`, `q` are the fields of `unary_parameters`.
enum class unary_function : std::uint8_t {
  relu,             ///< max(x, 0); NaN stays NaN, as with all functions here
  leaky_relu,       ///< x < 0 ? p x : x
  elu,              ///< x < 0 ? p (e^x - 1) : x
  selu,             ///< q (x <= 0 ? p (e^x - 1) : x)
  celu,             ///< max(0, x) + min(0, p (e^(x / p) - 1))
  thresholded_relu, ///< x > p ? x : 0
  sigmoid,          ///< 1 / (1 + e^-x)
  hard_sigmoid,     ///< max(0, min(1, p x + q))
  hard_swish,       ///< x max(0, min(1, x / 6 + 1 / 2))
  softplus,         ///< ln(1 + e^x)
  softsign,         ///< x / (1 + |x|)
  tanh,
  erf,
  gelu,      ///< x (1 + erf(x / sqrt 2)) / 2
  gelu_tanh, ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
  swish,     ///< x / (1 + e^(-p x))
  mish,      ///< x tanh(ln(1 + e^x))
  exp,
  log,
  sqrt,
  reciprocal,
  neg,
  abs,
  sign,
  floor,
  ceil,
  round, ///< to the nearest integer, halves to the even one
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  asinh,
  acosh,
  atanh,
  shrink, ///< x < -q ? x + p : x > q ? x - p : 0
  clip    ///< min(max(x, p), q); q when p > q
};

struct unary_parameters {
  double p = 0;
  double q = 0;
};

/// Functions of two elements of one type, with a result of the same type.
enum class binary_function : std::uint8_t {
  add,
  sub,
  mul,
  div, ///< truncated towards zero for integers
  pow,
  mod,  ///< integers: the sign of the divisor, as in Python
  fmod, ///< the sign of the dividend, as in C
  max,  ///< NaN if either is
  min,
  prelu,   ///< a < 0 ? a b : a
  bit_and, ///< of booleans: and, or, xor
  bit_or,
  bit_xor,
  shift_left, ///< of unsigned integers
  shift_right
};

/// Comparisons of two elements of one type.
enum class comparison : std::uint8_t { equal, greater, greater_or_equal, less, less_or_equal };

} // namespace shoal
