#pragma once

#include "kernels/fourier.hpp"
#include "kernels/kernel.hpp"

#include <memory>

namespace shoal::kernels {

/// Fast Fourier transforms of float32 or float64. Real signals of even length are transformed as
/// complex ones of half the length. Null for other types and when there is nothing to transform.
std::unique_ptr<kernel> make_fourier(const fourier_problem& p, dtype type, int threads);

} // namespace shoal::kernels
