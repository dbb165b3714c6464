#include "kernels/reference/copy.hpp"

#include <cstring>

namespace shoal::reference {

void copy(std::size_t size, const loop_nest& nest, const void* from, void* to) {
  const auto* source = static_cast<const std::byte*>(from);
  auto* target = static_cast<std::byte*>(to);
  const auto bytes = static_cast<std::int64_t>(size);
  loop_position at(nest, nest.depth(), 0);
  for (std::int64_t i = nest.iterations(); i > 0; --i, at.next())
    std::memcpy(target + at[1] * bytes, source + at[0] * bytes, size);
}

} // namespace shoal::reference
