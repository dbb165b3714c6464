#pragma once

#include "kernels/cpu/attention.hpp"
#include "kernels/reference/attention.hpp"
#include "runtime/operators/operator.hpp"

#include <cstddef>

/// What the operators that attend have in common.
namespace shoal::operators {

/// A kernel of attention, and the floats it needs besides.
struct attention_way {
  decltype(&reference::attention) attend;
  decltype(&reference::attention_scratch) scratch;
};
inline constexpr attention_way cpu_attention{kernels::attention, kernels::attention_scratch};
inline constexpr attention_way reference_attention{reference::attention,
                                                   reference::attention_scratch};

/// Bytes of so many floats, in whole cache lines.
constexpr std::size_t floats(std::int64_t count) {
  return (static_cast<std::size_t>(count) * sizeof(float) + 63) / 64 * 64;
}

/// Of products with keys and sums of values.
inline double attention_flops(const attention_problem& p) {
  return 2.0 * static_cast<double>(p.batch * p.heads * p.queries) * static_cast<double>(p.keys) *
         static_cast<double>(p.size + p.value_size);
}

} // namespace shoal::operators
