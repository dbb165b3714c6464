#pragma once

#include "runtime/base/result.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace shoal {

class storage_ptr;

/// Reference-counted bytes. What happens when the last reference goes is up to the derived class:
/// memory is freed, unmapped or goes back to its pool. Thread-safe as to the count; the bytes are
/// written by one owner before they are shared, and read-only from then on.
///
/// Some bytes are not in memory before somebody asks for them (deferred_storage.hpp).
class storage {
 public:
  storage(const storage&) = delete;
  storage& operator=(const storage&) = delete;

  /// Stays the same from the first call on. Throws `deferred_failure` if the bytes are deferred and
  /// cannot be had.
  std::byte* data() const {
    auto* known = data_.load(std::memory_order_acquire);
    return known != nullptr || size_ == 0 ? known : const_cast<storage*>(this)->fetch();
  }
  std::size_t size() const { return size_; }
  /// Whether `data` would have to fetch the bytes.
  bool deferred() const { return size_ > 0 && data_.load(std::memory_order_acquire) == nullptr; }
  /// The bytes from `offset` on, copied without fetching what is deferred: for who needs them for a
  /// moment only.
  virtual result<storage_ptr> read_copy(std::size_t offset, std::size_t size) const;
  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) release();
  }
  bool unique() const { return references_.load(std::memory_order_acquire) == 1; }

 protected:
  storage(std::byte* data, std::size_t size) : data_(data), size_(size) {}
  virtual ~storage() = default;
  /// Called once per life by whoever drops the last reference.
  virtual void release() = 0;
  /// Sets `data_`, once; for deferred storage.
  virtual std::byte* fetch() { return nullptr; }
  /// Starts another life with one reference: for pools.
  void revive(std::size_t size) {
    size_ = size;
    references_.store(1, std::memory_order_relaxed);
  }

  std::atomic<std::byte*> data_;
  std::size_t size_;

 private:
  std::atomic<std::uint32_t> references_{1};
};

/// Owning handle of a `storage`.
class storage_ptr {
 public:
  storage_ptr() = default;
  /// Takes over the reference that `raw` was created with.
  static storage_ptr adopt(storage* raw) {
    storage_ptr p;
    p.raw_ = raw;
    return p;
  }
  storage_ptr(const storage_ptr& other) : raw_(other.raw_) {
    if (raw_ != nullptr) raw_->add_reference();
  }
  storage_ptr(storage_ptr&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  storage_ptr& operator=(storage_ptr other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~storage_ptr() {
    if (raw_ != nullptr) raw_->drop_reference();
  }

  storage* get() const { return raw_; }
  storage* operator->() const { return raw_; }
  explicit operator bool() const { return raw_ != nullptr; }

 private:
  storage* raw_ = nullptr;
};

/// Every storage made here is aligned to this many bytes: a cache line and an AVX-512 register.
inline constexpr std::size_t storage_alignment = 64;

/// Fresh heap memory for `std::free`, aligned to that at least; null when the system has none left.
void* allocate_aligned(std::size_t size);

/// Fresh heap memory, not initialised. Empty when the system has none left.
storage_ptr allocate_storage(std::size_t size);

/// Bytes that belong to `owner`, which lives as long as the storage does.
storage_ptr share_storage(std::shared_ptr<const void> owner, const void* data, std::size_t size);

} // namespace shoal
