#include "kernels/cpu/recurrent_gates.hpp"

#include "kernels/cpu/simd.hpp"
#include "kernels/cpu/unary.hpp"

#include <cmath>

namespace shoal::kernels::gates {
namespace {

SHOAL_MULTIVERSION
void softsign(float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = y[i] / (1.0f + std::fabs(y[i]));
}

} // namespace

SHOAL_MULTIVERSION
void add(const float* a, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] += a[i];
}

SHOAL_MULTIVERSION
void add_product(const float* a, const float* b, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] += a[i] * b[i];
}

SHOAL_MULTIVERSION
void multiply(const float* a, const float* b, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
}

SHOAL_MULTIVERSION
void limit(float bound, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) {
    const float raised = y[i] < -bound ? -bound : y[i];
    y[i] = raised > bound ? bound : raised;
  }
}

SHOAL_MULTIVERSION
void scale(float factor, float shift, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = factor * y[i] + shift;
}

SHOAL_MULTIVERSION
void blend(const float* z, const float* candidate, float* h, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) h[i] = (1.0f - z[i]) * candidate[i] + z[i] * h[i];
}

SHOAL_MULTIVERSION
void remember(const float* f, const float* i, const float* g, float* c, std::int64_t n) {
#pragma omp simd
  for (std::int64_t k = 0; k < n; ++k) c[k] = f[k] * c[k] + i[k] * g[k];
}

void activate(const gate_function& f, float* y, std::int64_t n) {
  const auto alpha = static_cast<float>(f.alpha), beta = static_cast<float>(f.beta);
  if (f.what == gate_function::kind::affine) return scale(alpha, beta, y, n);
  if (f.what == gate_function::kind::scaled_tanh) {
    scale(beta, 0, y, n);
    unary(unary_function::tanh, {}, y, y, n);
    return scale(alpha, 0, y, n);
  }
  if (f.function == unary_function::softsign) return softsign(y, n);
  unary(f.function, {f.alpha, f.beta}, y, y, n);
}

} // namespace shoal::kernels::gates
