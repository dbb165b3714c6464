#include "kernels/reference/gather.hpp"

#include "kernels/kernel.hpp"

#include <cstring>
#include <string>

namespace shoal::reference {

std::int64_t index_at(const const_view& indices, std::int64_t i) {
  return indices.type == dtype::i64 ? indices.as<std::int64_t>()[i] : indices.as<std::int32_t>()[i];
}

std::int64_t checked_index(const const_view& indices, std::int64_t i, std::int64_t extent) {
  const auto index = index_at(indices, i);
  if (index < -extent || index >= extent)
    throw kernel_error("index " + std::to_string(index) + " is out of range for an axis of " +
                       std::to_string(extent));
  return index < 0 ? index + extent : index;
}

void gather(const gather_extents& extents, std::size_t size, const void* in,
            const const_view& indices, void* out) {
  const auto row = static_cast<std::size_t>(extents.inner) * size;
  const auto* source = static_cast<const std::byte*>(in);
  auto* target = static_cast<std::byte*>(out);
  const auto count = indices.element_count();
  for (std::int64_t o = 0; o < extents.outer; ++o)
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = checked_index(indices, i, extents.axis);
      std::memcpy(target + static_cast<std::size_t>(o * count + i) * row,
                  source + static_cast<std::size_t>(o * extents.axis + at) * row, row);
    }
}

} // namespace shoal::reference
