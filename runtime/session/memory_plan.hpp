#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace shoal {

/// A buffer that is alive from step `first` to step `last`, both included.
struct buffer_lifetime {
  std::size_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Where each buffer lies in one arena.
struct memory_plan {
  std::vector<std::size_t> offsets; ///< one per buffer, multiples of `storage_alignment`
  std::size_t arena_bytes = 0;
};

/// Packs buffers so that two that are alive at the same step never overlap: largest first, each
/// into the tightest gap that is free during its whole life.
memory_plan plan_memory(std::span<const buffer_lifetime> buffers);

} // namespace shoal
