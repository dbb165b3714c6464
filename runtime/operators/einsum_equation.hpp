#pragma once

#include "kernels/reference/einsum.hpp"
#include "runtime/operators/operator.hpp"

#include <vector>

namespace shoal {

/// What the equation of an Einsum says of its node's inputs: labels are numbered, those of the
/// output first, in its order.
struct einsum_equation {
  reference::einsum_loops loops;
  std::vector<std::vector<int>> inputs; ///< the label of each axis
  std::vector<reference::einsum_strides> strides;

  shape output() const;
};

/// Reads the attribute `equation`. An ellipsis stands for the axes that no letter names; they are
/// broadcast, and come first where the output is not stated. Letters meet axes of one extent, or of
/// 1.
result<einsum_equation> read_einsum_equation(const node_context& c);

} // namespace shoal
