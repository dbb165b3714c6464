#pragma once

#include "runtime/tensor/storage.hpp"

#include <cstddef>

namespace shoal {

/// The arena of intermediate tensors. One per executing thread, shared by all sessions that the
/// thread runs one after the other; grows to the largest of them. Not thread-safe.
class workspace {
 public:
  /// Memory of at least `bytes`; what was there before is lost when it has to grow. Null when the
  /// system has none left.
  std::byte* reserve(std::size_t bytes) {
    if (!memory_ || memory_->size() < bytes) {
      memory_ = storage_ptr(); // free first: the old content is not needed
      memory_ = allocate_storage(bytes);
    }
    return memory_ ? memory_->data() : nullptr;
  }
  std::size_t bytes() const { return memory_ ? memory_->size() : 0; }

 private:
  storage_ptr memory_;
};

} // namespace shoal
