#pragma once

#include "runtime/image/image_window.hpp"

#include <cstdint>

struct tiff;

namespace shoal {

/// What a TIFF directory says about its pixels, checked.
struct tiff_layout {
  enum class alpha_kind : std::uint8_t { none, straight, premultiplied };

  image_extent extent;
  std::uint32_t samples = 0; ///< per pixel, as stored
  std::uint32_t bytes_per_sample = 1;
  bool planar = false;        ///< every sample in a plane, and blocks, of its own
  bool white_is_zero = false; ///< gray only
  bool gray = false;
  alpha_kind alpha = alpha_kind::none;
  bool tiled = false;
  bool plain = false;            ///< neither compressed nor in another order of bits
  std::uint32_t block_width = 0; ///< of a tile, or of a strip: then that of the picture
  std::uint32_t block_height = 0;

  /// The stored sample that becomes channel `channel`.
  std::uint32_t sample_of(int channel) const;
  std::uint64_t samples_in_block_pixel() const { return planar ? 1 : samples; }
  /// Of a whole block as stored, before compression.
  std::uint64_t block_bytes() const {
    return std::uint64_t{block_width} * block_height * samples_in_block_pixel() * bytes_per_sample;
  }
};

/// `unsupported` names what Shoal does not read. `malformed` for what cannot be.
result<tiff_layout> read_tiff_layout(struct tiff* handle);

} // namespace shoal
