#pragma once

#include "kernels/cpu/packing.hpp"
#include "runtime/operators/operator.hpp"

namespace shoal {

/// Gives `k` its packed constant from the weight cache, packing it if it is the first to ask. Does
/// nothing when that input is not constant.
result<void> pack_constant(kernels::packing_kernel& k, const prepare_context& c);

} // namespace shoal
