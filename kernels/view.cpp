#include "kernels/view.hpp"

namespace shoal {

std::string_view to_string(layout format) {
  switch (format) {
  case layout::plain:
    return "plain";
  case layout::channels_last:
    return "channels_last";
  case layout::blocked_8:
    return "blocked_8";
  case layout::blocked_16:
    return "blocked_16";
  }
  return "unknown layout";
}

std::int64_t channel_block(layout format) {
  if (format == layout::blocked_8) return 8;
  return format == layout::blocked_16 ? 16 : 1;
}

std::int64_t stored_elements(const shape& dims, layout format) {
  if (channel_block(format) == 1) return dims.element_count();
  const auto block = channel_block(format);
  shape padded = dims;
  padded[1] = (dims[1] + block - 1) / block * block;
  return padded.element_count();
}

} // namespace shoal
