#pragma once

#include "kernels/cpu/parallel.hpp"

#include <omp.h>

namespace shoal::kernels {

/// As `parallel_pieces`, for work that needs memory of its own per thread: calls `f(first, last,
/// thread)`, where `thread` counts from 0 among the threads that share these pieces. (Where there
/// is one piece, omp_get_thread_num would tell the caller's number in a team around it.)
template <class F>
void numbered_pieces(std::int64_t count, std::int64_t grain, F&& f) {
  if (count <= std::max<std::int64_t>(grain, 1)) {
    if (count > 0) f(std::int64_t{0}, count, 0);
    return;
  }
  parallel_pieces(count, grain, [&](std::int64_t first, std::int64_t last) {
    f(first, last, omp_get_thread_num());
  });
}

} // namespace shoal::kernels
