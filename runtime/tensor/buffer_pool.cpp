#include "runtime/tensor/buffer_pool.hpp"

#include <array>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace shoal {
namespace {

constexpr std::size_t smallest_class = 256;
constexpr int class_count = 4 * 40;

struct size_class {
  int index;
  std::size_t bytes;
};

size_class class_of(std::size_t size) {
  if (size <= smallest_class) return {0, smallest_class};
  const int power = std::bit_width(size - 1) - 1; // 2^power < size <= 2^(power+1)
  const std::size_t quarter = std::size_t{1} << (power - 2);
  const std::size_t quarters = (size + quarter - 1) / quarter; // 5 .. 8
  return {4 * (power - 8) + static_cast<int>(quarters) - 4, quarters * quarter};
}

} // namespace

struct buffer_pool::state {
  explicit state(std::size_t cap) : max_idle_bytes(cap) {}

  std::mutex mutex;
  std::array<std::vector<pooled_storage*>, class_count> idle;
  std::size_t idle_bytes = 0;
  std::size_t used_bytes = 0;
  std::size_t max_idle_bytes;
  bool closed = false;
};

class buffer_pool::pooled_storage final : public storage {
 public:
  pooled_storage(std::byte* data, std::size_t size, size_class fit, std::shared_ptr<state> owner)
      : storage(data, size), fit_(fit), owner_(std::move(owner)) {}
  ~pooled_storage() override { std::free(data_); }

  void reuse(std::size_t size) { revive(size); }
  static void destroy(pooled_storage* storage) { delete storage; }
  std::size_t capacity() const { return fit_.bytes; }

 private:
  void release() override {
    const auto owner = owner_; // outlives `delete this`
    {
      std::lock_guard lock(owner->mutex);
      owner->used_bytes -= fit_.bytes;
      if (!owner->closed && owner->idle_bytes + fit_.bytes <= owner->max_idle_bytes) {
        owner->idle[static_cast<std::size_t>(fit_.index)].push_back(this);
        owner->idle_bytes += fit_.bytes;
        return;
      }
    }
    delete this;
  }

  size_class fit_;
  std::shared_ptr<state> owner_;
};

buffer_pool::buffer_pool(std::size_t max_idle_bytes)
    : state_(std::make_shared<state>(max_idle_bytes)) {}

buffer_pool::~buffer_pool() {
  std::array<std::vector<pooled_storage*>, class_count> idle;
  {
    std::lock_guard lock(state_->mutex);
    state_->closed = true;
    idle.swap(state_->idle);
    state_->idle_bytes = 0;
  }
  for (auto& list : idle)
    for (auto* storage : list) pooled_storage::destroy(storage);
}

storage_ptr buffer_pool::take(std::size_t size) {
  if (size > std::size_t{1} << 46) return {};
  const size_class fit = class_of(size);
  {
    std::lock_guard lock(state_->mutex);
    auto& list = state_->idle[static_cast<std::size_t>(fit.index)];
    state_->used_bytes += fit.bytes;
    if (!list.empty()) {
      auto* storage = list.back();
      list.pop_back();
      state_->idle_bytes -= fit.bytes;
      storage->reuse(size);
      return storage_ptr::adopt(storage);
    }
  }
  void* memory = allocate_aligned(fit.bytes);
  if (memory == nullptr) {
    std::lock_guard lock(state_->mutex);
    state_->used_bytes -= fit.bytes;
    return {};
  }
  return storage_ptr::adopt(new pooled_storage(static_cast<std::byte*>(memory), size, fit, state_));
}

std::size_t buffer_pool::idle_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->idle_bytes;
}

std::size_t buffer_pool::used_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->used_bytes;
}

buffer_pool& buffer_pool::shared() {
  static buffer_pool pool;
  return pool;
}

} // namespace shoal
