#include "kernels/cpu/gather.hpp"

#include "kernels/cpu/parallel.hpp"

#include <cstring>

namespace shoal::kernels {

void gather(const reference::gather_extents& extents, std::size_t size, const void* in,
            const const_view& indices, void* out) {
  const auto row = static_cast<std::size_t>(extents.inner) * size;
  const auto* source = static_cast<const std::byte*>(in);
  auto* target = static_cast<std::byte*>(out);
  const auto count = indices.element_count();
  // Checked first: no exception may leave a parallel region.
  for (std::int64_t i = 0; i < count; ++i) reference::checked_index(indices, i, extents.axis);
  const auto grain = parallel_threshold / std::max<std::int64_t>(extents.inner, 1);
  parallel_pieces(extents.outer * count, grain, [&](std::int64_t first, std::int64_t last) {
    for (auto i = first; i < last; ++i) {
      const auto index = reference::index_at(indices, i % count);
      const auto from = i / count * extents.axis + (index < 0 ? index + extents.axis : index);
      std::memcpy(target + static_cast<std::size_t>(i) * row,
                  source + static_cast<std::size_t>(from) * row, row);
    }
  });
}

} // namespace shoal::kernels
