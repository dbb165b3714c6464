#pragma once

#include "kernels/activation.hpp"
#include "kernels/cpu/onednn/formats.hpp"
#include "kernels/cpu/onednn/primitives.hpp"

namespace shoal::onednn {

/// `at` in oneDNN's terms, for a source and target of these extents ([N,C,spatial...]). oneDNN
/// wants the padding at the end to follow from the target's extents where windows hang over the
/// edge.
placement place(const window& at, const shape& source, const shape& target);
/// The same for a transposed convolution, whose target is what a window would slide over.
placement place_transposed(const window& at, const shape& source, const shape& target);

void append(post_op_list& operations, const activation& f);

} // namespace shoal::onednn
