#include "kernels/reference/reorder.hpp"

#include <cassert>
#include <cstring>

namespace shoal::reference {
namespace {

/// Where the element (outer, channel, inner) of a tensor [outer, channels, inner...] lies.
class addressing {
 public:
  explicit addressing(const const_view& v)
      : format_(v.format), channels_(v.dims.rank() > 1 ? v.dims[1] : 1),
        inner_(v.dims.rank() > 2 ? v.dims.element_count(2, v.dims.rank()) : 1) {
    block_ = format_ == layout::blocked_8 ? 8 : format_ == layout::blocked_16 ? 16 : 1;
    padded_ = (channels_ + block_ - 1) / block_ * block_;
  }
  std::int64_t operator()(std::int64_t outer, std::int64_t channel, std::int64_t inner) const {
    if (format_ == layout::channels_last) return (outer * inner_ + inner) * channels_ + channel;
    const auto row = outer * (padded_ / block_) + channel / block_;
    return (row * inner_ + inner) * block_ + channel % block_;
  }

 private:
  layout format_;
  std::int64_t channels_, inner_, block_ = 1, padded_ = 1;
};

} // namespace

void reorder(const const_view& from, const view& to) {
  assert(from.type == to.type && from.dims == to.dims);
  const auto size = size_of(from.type);
  const auto* source = static_cast<const std::byte*>(from.data);
  auto* target = static_cast<std::byte*>(to.data);
  if (from.format == to.format) {
    std::memcpy(target, source,
                static_cast<std::size_t>(stored_elements(to.dims, to.format)) * size);
    return;
  }
  if (stored_elements(to.dims, to.format) != to.element_count())
    std::memset(target, 0, static_cast<std::size_t>(stored_elements(to.dims, to.format)) * size);
  const addressing read(from), write(to);
  const auto outer = from.dims[0], channels = from.dims[1];
  const auto inner = from.dims.element_count(2, from.dims.rank());
  for (std::int64_t n = 0; n < outer; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t i = 0; i < inner; ++i)
        std::memcpy(target + static_cast<std::size_t>(write(n, c, i)) * size,
                    source + static_cast<std::size_t>(read(n, c, i)) * size, size);
}

} // namespace shoal::reference
