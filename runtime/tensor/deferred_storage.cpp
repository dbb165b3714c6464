#include "runtime/tensor/deferred_storage.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/tensor/buffer_pool.hpp"

#include <cstdlib>
#include <mutex>

namespace shoal {
namespace {

class file_storage final : public storage {
 public:
  file_storage(std::shared_ptr<const input_file> file, std::uint64_t offset, std::size_t size)
      : storage(nullptr, size), file_(std::move(file)), offset_(offset) {}

  result<storage_ptr> read_copy(std::size_t offset, std::size_t size) const override {
    if (!deferred()) return storage::read_copy(offset, size);
    // Memory of copies that are gone: fresh pages take longer than the reading.
    auto copy = buffer_pool::shared().take(size);
    if (!copy) return no_memory(size);
    SHOAL_CHECK(read(offset, {copy->data(), size}));
    return copy;
  }

 private:
  std::byte* fetch() override {
    std::lock_guard lock(mutex_);
    if (auto* known = data_.load(std::memory_order_acquire); known != nullptr) return known;
    auto* memory = static_cast<std::byte*>(allocate_aligned(size_));
    if (memory == nullptr) throw deferred_failure(no_memory(size_));
    if (auto done = read(0, {memory, size_}); !done) {
      std::free(memory);
      throw deferred_failure(std::move(done).error());
    }
    data_.store(memory, std::memory_order_release);
    return memory;
  }

  result<void> read(std::size_t offset, mutable_byte_span into) const {
    SHOAL_CHECK(file_->read_at(offset_ + offset, into));
    return file_->check_unchanged(); // afterwards: it may change while it is read
  }

  error no_memory(std::size_t size) const {
    return fail(errc::resource_exhausted, "no memory for {} bytes of {}", size,
                file_->path().string());
  }

  void release() override {
    std::free(data_.load(std::memory_order_relaxed));
    delete this;
  }

  std::shared_ptr<const input_file> file_;
  std::uint64_t offset_;
  std::mutex mutex_;
};

} // namespace

storage_ptr defer_storage(std::shared_ptr<const input_file> file, std::uint64_t offset,
                          std::size_t size) {
  return storage_ptr::adopt(new file_storage(std::move(file), offset, size));
}

} // namespace shoal
