#pragma once

#include "kernels/view.hpp"

#include <cstdint>
#include <optional>

namespace shoal::reference {

/// What becomes of the losses of single elements; the mean is weighted.
enum class loss_reduction : std::uint8_t { none, sum, mean };

/// The weighted -x[n,target[n,i...],i...] of each n, i...: x is [N,C,...], the targets (int32 or
/// int64) [N,...], the weights [C], all 1 without data. A target equal to `ignored` counts nothing;
/// `kernel_error` for any other that is no class. `y` has one element per target, or one in all.
/// Floating types, plain.
void negative_log_likelihood(loss_reduction reduction, std::optional<std::int64_t> ignored,
                             const const_view& x, const const_view& target,
                             const const_view& weight, const view& y);

} // namespace shoal::reference
