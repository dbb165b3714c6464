#include "runtime/tensor/storage.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

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

void* allocate_aligned(std::size_t size) {
  constexpr std::size_t large_page = std::size_t{2} << 20;
  if (size > SIZE_MAX - storage_alignment) return nullptr;
  const std::size_t rounded =
      std::max((size + storage_alignment - 1) / storage_alignment, std::size_t{1}) *
      storage_alignment;
  if (rounded < large_page) return std::aligned_alloc(storage_alignment, rounded);
  void* memory = nullptr;
  if (::posix_memalign(&memory, large_page, rounded) != 0) return nullptr;
  // Only advice: where there are no large pages nothing is lost.
  ::madvise(memory, rounded / large_page * large_page, MADV_HUGEPAGE);
  return memory;
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
