#pragma once

#include "kernels/view.hpp"

namespace shoal::reference {

/// What Gemm does to its operands.
struct gemm_options {
  bool transpose_a = false;
  bool transpose_b = false;
  double alpha = 1;
  double beta = 1;
};

/// y = alpha * A' B' + beta * c with A' [M,K], B' [K,N] and c broadcast to [M,N] (no data: none).
/// Plain, one type; floating types sum in double, integers in themselves, modulo 2^bits.
void gemm(const const_view& a, const const_view& b, const const_view& c, const view& y,
          const gemm_options& options);

/// NumPy's matmul: the last two axes multiply, those before are broadcast, a missing row or column
/// axis is put in and taken out again. The last two axes of operands that have them may be
/// transposed first; `beta` has no meaning. The same types as `gemm`.
void matmul(const const_view& a, const const_view& b, const view& y,
            const gemm_options& options = {});

} // namespace shoal::reference
