#pragma once

#include "kernels/loop_nest.hpp"
#include "kernels/reduction.hpp"
#include "kernels/view.hpp"

namespace shoal::reference {

/// Element i of `out` from the input elements that the loops of `reduced` visit, starting at the
/// i-th position of `kept` (one operand each: the input). Floating types accumulate in double,
/// integers in 64 bits, wrapping around; bool has maximum and minimum alone.
void reduce(reduction f, const loop_nest& kept, const loop_nest& reduced, const const_view& in,
            const view& out);

} // namespace shoal::reference
