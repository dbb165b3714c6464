#pragma once

#include "runtime/tensor/storage.hpp"

#include <cstddef>
#include <memory>

namespace shoal {

/// Recycles the memory of tensors that come and go with every request, so that the steady state
/// allocates nothing. Sizes are rounded up to four classes per power of two (at most 25 % waste);
/// what comes back is kept until `max_idle_bytes` lie idle, then freed. Thread-safe. Storages may
/// outlive the pool.
class buffer_pool {
 public:
  explicit buffer_pool(std::size_t max_idle_bytes = std::size_t{256} << 20);
  ~buffer_pool();
  buffer_pool(const buffer_pool&) = delete;
  buffer_pool& operator=(const buffer_pool&) = delete;

  /// At least `size` bytes, not initialised, `size()` exactly `size`. Empty when the system has
  /// none.
  storage_ptr take(std::size_t size);

  /// Bytes that lie idle, and bytes that are in use.
  std::size_t idle_bytes() const;
  std::size_t used_bytes() const;

  /// The pool of this process that sessions and links use unless told otherwise.
  static buffer_pool& shared();

 private:
  struct state;
  class pooled_storage;
  std::shared_ptr<state> state_;
};

} // namespace shoal
