#pragma once

#include "kernels/kernel.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace shoal {

/// What a `function_kernel` says of itself besides what it computes.
struct kernel_traits {
  std::vector<layout> inputs = {}; ///< per input; plain for those beyond its end
  layout output = layout::plain;   ///< of every output
  std::size_t scratch_bytes = 0;
  std::optional<std::size_t> overwritable = {};
  /// Per input, as `kernel::place_in_output` says it; none for those beyond its end.
  std::vector<std::optional<std::size_t>> places = {};
};

/// A kernel whose run is one call of `run`; most operators need no class of their own. `run` obeys
/// the contract of `kernel::run`.
std::unique_ptr<kernel> function_kernel(std::function<void(const kernel_io&)> run,
                                        kernel_traits traits = {});

} // namespace shoal
