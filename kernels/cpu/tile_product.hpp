#pragma once

#include <cstdint>

namespace shoal::kernels {

/// y[i][j] = sum over l of a[i][l] * b[l][j] in float32, for operands that are parts of larger
/// tensors: element (i, j) of y lies at i * y_row + j, of b at i * b_row + j, and element (i, l) of
/// a at i * a_row + l * a_step.
struct tile_problem {
  std::int64_t rows = 0, columns = 0, length = 0;
  const float* a = nullptr;
  std::int64_t a_row = 0, a_step = 1;
  const float* b = nullptr;
  std::int64_t b_row = 0;
  float* y = nullptr;
  std::int64_t y_row = 0;
};

/// For operands that a cache holds. On the calling thread alone; packs nothing. Every element is
/// summed in the order of l, whatever rows and columns are asked for with it; with fused
/// multiplication and addition where the processor has that.
void tile_product(const tile_problem& p);

} // namespace shoal::kernels
