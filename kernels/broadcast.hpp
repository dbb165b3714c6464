#pragma once

#include "kernels/loop_nest.hpp"
#include "kernels/view.hpp"

#include <span>

namespace shoal {

/// Whether a tensor of extents `dims` can take part, without being reordered or rewritten, in an
/// elementwise operation whose result `out` lies in `format`: it is as large as the result, or
/// holds one value, or one per channel (and batch entry), and the channels fill their blocks. Only
/// tensors as large as the result have to lie in `format` themselves; the others look the same in
/// every layout.
bool broadcasts_in(const shape& dims, const shape& out, layout format);

/// The loops over an elementwise operation in memory order of the result: one operand per input,
/// then the result. Inputs are broadcast by NumPy's rule. `format` is that of the result and of all
/// inputs as large as it; for all inputs `broadcasts_in` holds unless it is plain.
loop_nest broadcast_nest(std::span<const shape> inputs, const shape& out,
                         layout format = layout::plain);

} // namespace shoal
