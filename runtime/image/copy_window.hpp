#pragma once

#include "runtime/image/image_window.hpp"

#include <cstdint>
#include <cstring>

namespace shoal {

/// Pixels without gaps between rows, and where in a picture they belong.
template <class Byte>
struct placed_pixels {
  Byte* pixels = nullptr;
  image_window place;
};

/// Copies what `part`, which both contain, has in `from` to where it is in `to`.
inline void copy_window(const placed_pixels<const std::uint8_t>& from,
                        const placed_pixels<std::uint8_t>& to, const image_window& part,
                        int channels) {
  const auto at = [&](const image_window& place, int y) {
    return (std::ptrdiff_t{y - place.y} * place.width + (part.x - place.x)) * channels;
  };
  const auto bytes = static_cast<std::size_t>(part.width) * static_cast<std::size_t>(channels);
  for (int y = part.y; y < part.bottom(); ++y)
    std::memcpy(to.pixels + at(to.place, y), from.pixels + at(from.place, y), bytes);
}

} // namespace shoal
