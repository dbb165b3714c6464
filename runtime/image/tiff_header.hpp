#pragma once

#include "runtime/image/image_window.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace shoal {

/// The beginning of an uncompressed TIFF of 8 bits per sample (TIFF 6.0, and BigTIFF from 4 GiB on;
/// little-endian): its directory comes first and the pixels follow in one piece, rows without gaps,
/// so that every pixel's place is known before any is written. libtiff offers no way to write such
/// a directory before the strips, whose offsets it sets itself as they come; hence by hand.
struct tiff_header {
  std::vector<std::byte> bytes; ///< up to the first pixel
  std::uint64_t file_bytes = 0; ///< with all pixels
  bool big = false;             ///< BigTIFF
};

tiff_header make_tiff_header(const image_extent& extent);

} // namespace shoal
