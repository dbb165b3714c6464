#pragma once

#include "kernels/shape.hpp"

#include <array>

namespace shoal {

/// A window that slides over 1 to 3 spatial axes, as those of convolutions and pools do. Each
/// member has one extent per spatial axis. Padding may reach beyond what the model states where
/// ceil_mode makes the last window hang over the edge.
struct window {
  shape kernel;
  shape stride;
  shape dilation;
  shape pad_begin;
  shape pad_end;

  int rank() const { return kernel.rank(); }
  /// Elements from the first to the last tap along `axis`, both included.
  std::int64_t reach(int axis) const { return (kernel[axis] - 1) * dilation[axis] + 1; }
};

/// The last three of `values`, `fill` in front where there are fewer: loops over 1-D and 2-D
/// windows are loops over 3-D ones with extents of 1.
inline std::array<std::int64_t, 3> last_three(std::span<const std::int64_t> values,
                                              std::int64_t fill) {
  std::array<std::int64_t, 3> out{fill, fill, fill};
  for (std::size_t i = 0; i < values.size(); ++i) out[3 - values.size() + i] = values[i];
  return out;
}

} // namespace shoal
