#pragma once

#include "kernels/recurrent.hpp"

#include <cstdint>

/// What recurrent networks do to rows of `n` float32 between matrix products. No row overlaps
/// another; each may be the other itself.
namespace shoal::kernels::gates {

/// y += a.
void add(const float* a, float* y, std::int64_t n);
/// y += a b.
void add_product(const float* a, const float* b, float* y, std::int64_t n);
/// y = a b.
void multiply(const float* a, const float* b, float* y, std::int64_t n);
/// y = y limited to [-bound, bound].
void limit(float bound, float* y, std::int64_t n);
/// y = factor y + shift.
void scale(float factor, float shift, float* y, std::int64_t n);
/// h = (1 - z) candidate + z h.
void blend(const float* z, const float* candidate, float* h, std::int64_t n);
/// c = f c + i g.
void remember(const float* f, const float* i, const float* g, float* c, std::int64_t n);
/// y = f(y).
void activate(const gate_function& f, float* y, std::int64_t n);

} // namespace shoal::kernels::gates
