#pragma once

#include "kernels/fourier.hpp"
#include "kernels/kernel.hpp"

namespace shoal::reference {

/// By the definition, of any floating type, summed in double.
void fourier(const fourier_problem& p, const kernel_io& io);

} // namespace shoal::reference
