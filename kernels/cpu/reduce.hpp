#pragma once

#include "kernels/reduction.hpp"

#include <cstdint>

namespace shoal::kernels {

/// A tensor [outer][count][inner] of which the middle goes.
struct reduction_extents {
  std::int64_t outer, count, inner;
};

/// out[o][i] = f over in[o][...][i]. Sums are made in double, in 16 interleaved parts that are
/// added pairwise at the end, whatever `inner` is: how the elements lie in memory does not change a
/// bit. Uses the OpenMP threads of the caller when the work is large.
void reduce(reduction f, const reduction_extents& extents, const float* in, float* out);

} // namespace shoal::kernels
