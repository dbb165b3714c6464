#pragma once

#include "kernels/cpu/packing.hpp"
#include "kernels/recurrent.hpp"

#include <memory>
#include <span>
#include <vector>

namespace shoal::kernels {

/// RNN, GRU and LSTM of float32: one matrix product for the inputs of all steps, then one (a GRU
/// that resets first: two) per step for the states, the gates row by row between them. Operands and
/// outputs as for `reference::recurrent`.
class recurrent_kernel : public kernel {
 public:
  /// A product whose weights may be packed once; without that every run packs them.
  struct product {
    std::unique_ptr<packing_kernel> work;
    recurrent_operand weights; ///< W or R
    std::int64_t offset;       ///< of its weights within them, in elements
    bool is_packed = false;
  };
  virtual std::span<product> products() = 0;
};

/// Null when there is nothing to multiply, as with extents of 0.
std::unique_ptr<recurrent_kernel> make_recurrent(const recurrent_problem& p, int threads);

} // namespace shoal::kernels
