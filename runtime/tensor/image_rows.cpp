#include "runtime/tensor/image_rows.hpp"

#include <cassert>

namespace shoal {

result<void> image_rows::read(std::uint8_t* into, int count) {
  assert(count >= 1 && count <= height() - next_row_);
  assert(!all_at_once() || count == height());
  if (failure_) return *failure_;
  if (auto decoded = decode(into, count); !decoded) {
    failure_ = std::move(decoded).error();
    return *failure_;
  }
  next_row_ += count;
  return {};
}

} // namespace shoal
