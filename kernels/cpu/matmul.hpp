#pragma once

#include "kernels/cpu/packing.hpp"

#include <memory>

namespace shoal::kernels {

/// y = alpha * A' B' + beta * C of float32, over a batch of matrices. Inputs: 0 A, 1 B, 2 C.
struct matmul_problem {
  /// What to do with input 2.
  enum class addend : std::uint8_t {
    none,
    row, ///< one row of `columns`, added to every row of y
    any  ///< broadcast to [rows,columns]; no batch
  };

  shape a_batch; ///< extents of A before its matrix axes; those of B are broadcast against them
  shape b_batch; ///< of the same rank
  std::int64_t rows = 0, columns = 0, length = 0;
  bool transpose_a = false; ///< A is stored [length,rows]
  bool transpose_b = false; ///< B is stored [columns,length]
  float alpha = 1;
  float beta = 1; ///< has to be 1 for `row`, as has alpha
  addend added = addend::none;
  bool constant_b = false; ///< B is packed once
};

/// By oneDNN, in one of two ways. As a 1x1 convolution over an image of `rows` pixels, its weights
/// B in blocks: packed once when B is constant, in every run when not. Or, for a B that is not
/// constant and where oneDNN has its newer kernels for them, as its matmul on B as it is. With AVX2
/// or better both sum every row in the same order however many rows and threads there are, which
/// its older GEMM, behind inner product and matmul, does not. Measured on shapes of transformers
/// and classifiers the convolution is as fast as inner product with packed weights under AVX-512;
/// under AVX2 it is up to twice as fast with 4 or more rows, and a tenth slower with one.
///
/// Calls the primitive once for each part of the batch that it cannot take in one call. Null when
/// oneDNN does not do it, as with extents of 0.
std::unique_ptr<packing_kernel> make_matmul(const matmul_problem& problem, int threads);

} // namespace shoal::kernels
