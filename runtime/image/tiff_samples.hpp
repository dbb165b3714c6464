#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/image/tiff_layout.hpp"

#include <cstddef>
#include <cstdint>

namespace shoal {

/// Writes those channels of `count` pixels that `stored` has: all of them, or with samples in
/// planes those taken from `plane`. 16 bits, in this machine's order, are rounded to 8: v / 257.
void convert_tiff_samples(const tiff_layout& layout, std::uint32_t plane, byte_span stored,
                          std::uint8_t* pixels, std::size_t count);

/// Once all channels are there: white becomes 255, and premultiplied colours are divided by alpha.
void finish_tiff_pixels(const tiff_layout& layout, std::uint8_t* pixels, std::size_t count);

} // namespace shoal
