#include "runtime/tensor/storage.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

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

result<storage_ptr> storage::read_copy(std::size_t offset, std::size_t size) const {
  auto copy = allocate_storage(size);
  if (!copy) return fail(errc::resource_exhausted, "no memory for {} bytes", size);
  if (size > 0) std::memcpy(copy->data(), data() + offset, size);
  return copy;
}

void* allocate_aligned(std::size_t size) {
  if (size > SIZE_MAX - storage_alignment) return nullptr;
  const std::size_t rounded =
      std::max((size + storage_alignment - 1) / storage_alignment, std::size_t{1}) *
      storage_alignment;
  return std::aligned_alloc(storage_alignment, rounded);
}

storage_ptr allocate_storage(std::size_t size) {
  void* memory = allocate_aligned(size);
  if (memory == nullptr) return {};
  return storage_ptr::adopt(new heap_storage(static_cast<std::byte*>(memory), size));
}

storage_ptr share_storage(std::shared_ptr<const void> owner, const void* data, std::size_t size) {
  return storage_ptr::adopt(new shared_storage(std::move(owner), data, size));
}

} // namespace shoal
