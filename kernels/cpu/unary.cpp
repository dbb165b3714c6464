#include "kernels/cpu/unary.hpp"

#include "kernels/cpu/math.hpp"
#include "kernels/cpu/parallel.hpp"

#include <numbers>

namespace shoal::kernels {
namespace {

template <class F>
SHOAL_INLINE void each(const float* in, float* out, std::int64_t count, F f) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) out[i] = f(in[i]);
}

SHOAL_INLINE float clamp(float x, float low, float high) {
  const float raised = x < low ? low : x;
  return raised > high ? high : raised;
}

SHOAL_INLINE float softplus(float x) {
  const float positive = x < 0.0f ? 0.0f : x;
  return positive + math::log1p_of_fraction(math::exp(-std::fabs(x)));
}

/// tanh(ln(1 + e)) = (e^2 + 2 e) / (e^2 + 2 e + 2).
SHOAL_INLINE float mish(float x) {
  const float e = math::exp(x > 20.0f ? 20.0f : x);
  const float n = e * (e + 2.0f);
  return x * (n / (n + 2.0f));
}

SHOAL_MULTIVERSION
void activate(unary_function f, float p, float q, const float* in, float* out, std::int64_t n) {
  constexpr float root_half = 1.0f / std::numbers::sqrt2_v<float>;
  constexpr float root_two_over_pi = 0.797884561f;
  switch (f) {
  case unary_function::relu:
    return each(in, out, n, [](float x) { return x < 0.0f ? 0.0f : x; });
  case unary_function::leaky_relu:
    return each(in, out, n, [p](float x) { return x < 0.0f ? p * x : x; });
  case unary_function::elu:
    return each(in, out, n, [p](float x) { return x < 0.0f ? p * math::expm1_of_negative(x) : x; });
  case unary_function::selu:
    return each(in, out, n,
                [p, q](float x) { return q * (x <= 0.0f ? p * math::expm1_of_negative(x) : x); });
  case unary_function::celu:
    return each(in, out, n,
                [p](float x) { return x < 0.0f ? p * math::expm1_of_negative(x / p) : x; });
  case unary_function::thresholded_relu:
    return each(in, out, n, [p](float x) { return x <= p ? 0.0f : x; });
  case unary_function::sigmoid:
    return each(in, out, n, [](float x) { return math::sigmoid(x); });
  case unary_function::hard_sigmoid:
    return each(in, out, n, [p, q](float x) { return clamp(p * x + q, 0.0f, 1.0f); });
  case unary_function::hard_swish:
    return each(in, out, n, [](float x) { return x * clamp(x * (1.0f / 6) + 0.5f, 0.0f, 1.0f); });
  case unary_function::softplus:
    return each(in, out, n, [](float x) { return softplus(x); });
  case unary_function::gelu:
    return each(in, out, n, [](float x) { return 0.5f * x * (1.0f + math::erf(x * root_half)); });
  case unary_function::gelu_tanh:
    return each(in, out, n, [](float x) {
      return 0.5f * x * (1.0f + math::tanh(root_two_over_pi * (x + 0.044715f * x * x * x)));
    });
  case unary_function::swish:
    return each(in, out, n, [p](float x) { return x * math::sigmoid(p * x); });
  case unary_function::shrink:
    return each(in, out, n, [p, q](float x) { return x < -q ? x + p : x <= q ? 0.0f : x - p; });
  case unary_function::mish:
    return each(in, out, n, [](float x) { return mish(x); });
  default:
    return each(in, out, n, [p, q](float x) { return clamp(x, p, q); });
  }
}

SHOAL_MULTIVERSION
void evaluate(unary_function f, const float* in, float* out, std::int64_t n) {
  switch (f) {
  case unary_function::tanh:
    return each(in, out, n, [](float x) { return math::tanh(x); });
  case unary_function::erf:
    return each(in, out, n, [](float x) { return math::erf(x); });
  case unary_function::exp:
    return each(in, out, n, [](float x) { return math::exp(x); });
  case unary_function::log:
    return each(in, out, n, [](float x) { return math::log(x); });
  case unary_function::sqrt:
    return each(in, out, n, [](float x) { return std::sqrt(x); });
  case unary_function::reciprocal:
    return each(in, out, n, [](float x) { return 1.0f / x; });
  case unary_function::neg:
    return each(in, out, n, [](float x) { return -x; });
  case unary_function::abs:
    return each(in, out, n, [](float x) { return std::fabs(x); });
  case unary_function::floor:
    return each(in, out, n, [](float x) { return std::floor(x); });
  default:
    return each(in, out, n, [](float x) { return std::ceil(x); });
  }
}

bool is_activation(unary_function f) {
  return (f <= unary_function::mish && f != unary_function::softsign && f != unary_function::tanh &&
          f != unary_function::erf) ||
         f == unary_function::shrink || f == unary_function::clip;
}

} // namespace

bool has_unary(unary_function f) {
  switch (f) {
  case unary_function::tanh:
  case unary_function::erf:
  case unary_function::exp:
  case unary_function::log:
  case unary_function::sqrt:
  case unary_function::reciprocal:
  case unary_function::neg:
  case unary_function::abs:
  case unary_function::floor:
  case unary_function::ceil:
    return true;
  default:
    return is_activation(f);
  }
}

void unary(unary_function f, const unary_parameters& with, const float* in, float* out,
           std::int64_t count) {
  const auto p = static_cast<float>(with.p), q = static_cast<float>(with.q);
  parallel_pieces(count, parallel_threshold, [&](std::int64_t first, std::int64_t last) {
    if (is_activation(f))
      activate(f, p, q, in + first, out + first, last - first);
    else
      evaluate(f, in + first, out + first, last - first);
  });
}

} // namespace shoal::kernels
