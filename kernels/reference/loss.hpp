#pragma once

#include "kernels/kernel.hpp"

#include <cstdint>
#include <optional>

namespace shoal::reference {

enum class loss_reduction : std::uint8_t {
  none, ///< a loss per target
  sum,
  mean ///< the sum over that of the targets' weights
};

/// Losses of the classes `target` [batch,inner] by scores [batch,classes,inner].
struct loss_problem {
  std::int64_t batch = 0, classes = 0, inner = 0;
  loss_reduction reduction = loss_reduction::mean;
  std::optional<std::int64_t> ignored; ///< targets of this class count as weight 0
  bool softmax = false;                ///< scores become logarithms of probabilities first
};

/// Inputs: scores of any floating type, targets (int32 or int64), weights [classes] or nothing.
/// Outputs: -weight * score of the target, reduced, and (no data: not wanted) the scores after
/// softmax. Sums in double. Throws `kernel_error` for a target that is no class.
void negative_log_likelihood(const loss_problem& p, const kernel_io& io);

} // namespace shoal::reference
