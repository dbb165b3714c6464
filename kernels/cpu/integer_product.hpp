#pragma once

#include "kernels/cpu/packing.hpp"
#include "kernels/window.hpp"

#include <memory>
#include <optional>
#include <vector>

/// Products of 8-bit integers with exact sums in int32. Operands are u8 or i8, each with a zero
/// point that is subtracted first. Inputs of these kernels: 0 the left operand, 1 the weights, 2
/// the zero point of the left operand, 3 the zero points of the weights, one or one per output
/// channel; without data they are 0. Output: the sums.
namespace shoal::kernels {

/// The largest number of products in a sum that cannot overflow.
inline constexpr std::int64_t longest_integer_sum = INT32_MAX / (255 * 255);

struct integer_matmul_problem {
  shape a_batch; ///< extents of A before its matrix axes; those of B are broadcast against them
  shape b_batch; ///< of the same rank
  std::int64_t rows = 0, columns = 0, length = 0;
  bool transpose_a = false; ///< A is stored [length,rows]
  bool transpose_b = false; ///< B is stored [columns,length]
  dtype a_type = dtype::u8, b_type = dtype::i8;
};

/// Operands are widened to 16 bits in scratch. Null when sums could overflow.
std::unique_ptr<kernel> make_integer_matmul(const integer_matmul_problem& problem);

/// B, one matrix, is constant, of i8, with a zero point of 0 (or of u8 with one of 128), and
/// packed; `column_sums` are those of B. By oneDNN, and only where its sums are exact; else null.
std::unique_ptr<packing_kernel> make_onednn_integer_matmul(const integer_matmul_problem& problem,
                                                           std::vector<std::int32_t> column_sums,
                                                           int threads);

struct integer_convolution_problem {
  shape source;  ///< [N,C,spatial...], 1 to 3 spatial axes
  shape weights; ///< [M,C/groups,kernel...]
  shape target;  ///< [N,M,spatial...]
  window at;
  std::int64_t groups = 1;
  dtype source_type = dtype::u8, weight_type = dtype::i8;
};

/// Windows are gathered in rows of 16-bit integers in scratch. Null when sums could overflow.
std::unique_ptr<kernel> make_integer_convolution(const integer_convolution_problem& problem);

/// A convolution whose sums become 8-bit integers at once.
struct quantized_convolution_problem : integer_convolution_problem {
  dtype target_type = dtype::u8;
  bool has_bias = false;     ///< input 2, int32
  std::vector<float> scales; ///< of the sums: one, or one per output channel
  std::int32_t source_zero = 0, target_zero = 0;
};

/// By oneDNN, on constant weights of i8 with zero points of 0. Inputs: 0 source, 1 weights, 2 bias.
/// The zero point is added before rounding, so that a result may be one off where a sum, scaled,
/// lies halfway between integers. Null where oneDNN's sums are not exact.
std::unique_ptr<packing_kernel>
make_onednn_quantized_convolution(const quantized_convolution_problem& problem, int threads);

} // namespace shoal::kernels
