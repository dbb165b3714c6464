#include "runtime/tensor/storage.hpp"

#include <cstdlib>
#include <new>

namespace shoal {
namespace {

class heap_storage final : public storage {
 public:
  heap_storage(std::byte* data, std::size_t size) : storage(data, size) {}

 private:
  void release() override {
    std::free(data_);
    delete this;
  }
};

class shared_storage final : public storage {
 public:
  shared_storage(std::shared_ptr<const void> owner, const void* data, std::size_t size)
      : storage(static_cast<std::byte*>(const_cast<void*>(data)), size), owner_(std::move(owner)) {}

 private:
  void release() override { delete this; }

  std::shared_ptr<const void> owner_;
};

} // namespace

storage_ptr allocate_storage(std::size_t size) {
  if (size > SIZE_MAX - storage_alignment) return {};
  const std::size_t rounded =
      (size + storage_alignment - 1) / storage_alignment * storage_alignment;
  void* memory = std::aligned_alloc(storage_alignment, rounded == 0 ? storage_alignment : rounded);
  if (memory == nullptr) return {};
  return storage_ptr::adopt(new heap_storage(static_cast<std::byte*>(memory), size));
}

storage_ptr share_storage(std::shared_ptr<const void> owner, const void* data, std::size_t size) {
  return storage_ptr::adopt(new shared_storage(std::move(owner), data, size));
}

} // namespace shoal
