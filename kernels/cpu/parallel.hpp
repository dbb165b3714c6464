#pragma once

#include <algorithm>
#include <cstdint>

namespace shoal::kernels {

/// Work of fewer scalar operations than this is not worth waking other threads for.
inline constexpr std::int64_t parallel_threshold = 32768;

/// Calls `f(first, last)` for pieces [first, last) that make up [0, count), on the OpenMP threads
/// of the caller. The pieces depend on `count` and `grain` alone, never on the number of threads.
template <class F>
void parallel_pieces(std::int64_t count, std::int64_t grain, F&& f) {
  grain = std::max<std::int64_t>(grain, 1);
  const std::int64_t pieces = (count + grain - 1) / grain;
  if (pieces <= 1) {
    if (count > 0) f(std::int64_t{0}, count);
    return;
  }
#pragma omp parallel for schedule(static)
  for (std::int64_t piece = 0; piece < pieces; ++piece)
    f(piece * grain, std::min(count, (piece + 1) * grain));
}

} // namespace shoal::kernels
