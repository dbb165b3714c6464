#include "kernels/reference/pad.hpp"

#include <cstring>

namespace shoal::reference {

void pad(std::size_t size, const pad_tables& tables, const void* in, const void* value, void* out) {
  const auto from = tables.in.dense_strides(), to = tables.out.dense_strides();
  for (std::int64_t i = 0; i < tables.out.element_count(); ++i) {
    std::int64_t at = 0;
    bool inside = true;
    for (int axis = 0; axis < tables.out.rank(); ++axis) {
      const auto index = i / to[axis] % tables.out[axis];
      const auto source =
          tables.source[static_cast<std::size_t>(axis)][static_cast<std::size_t>(index)];
      inside = inside && source >= 0;
      at += source * from[axis];
    }
    const auto* element =
        inside ? static_cast<const std::byte*>(in) + static_cast<std::size_t>(at) * size
               : static_cast<const std::byte*>(value);
    std::memcpy(static_cast<std::byte*>(out) + static_cast<std::size_t>(i) * size, element, size);
  }
}

} // namespace shoal::reference
