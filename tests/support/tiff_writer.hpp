#pragma once

#include "runtime/tensor/image.hpp"

#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

namespace shoal::test {

/// How `write_tiff` lays a picture out.
struct tiff_kind {
  int block_width = 0; ///< of tiles, multiples of 16; 0: strips
  int block_height = 0;
  bool planar = false;
  int bits = 8; ///< 16: every sample v becomes 257 v + `low_bits`
  int low_bits = 0;
  std::uint16_t compression = COMPRESSION_NONE;
  std::uint16_t photometric = PHOTOMETRIC_RGB; ///< of three samples and more
  std::vector<std::uint16_t> extra = {};       ///< what the samples after the colours are
  const char* mode = "w";                      ///< of TIFFOpen: w8 BigTIFF, wb big endian
};

/// A TIFF by libtiff's own writer, from 8-bit samples in any number per pixel.
inline void write_tiff(const std::filesystem::path& path, const tiff_kind& kind, int width,
                       int height, int samples, const std::vector<std::uint8_t>& values) {
  TIFF* file = TIFFOpen(path.c_str(), kind.mode);
  TIFFSetField(file, TIFFTAG_IMAGEWIDTH, width);
  TIFFSetField(file, TIFFTAG_IMAGELENGTH, height);
  TIFFSetField(file, TIFFTAG_SAMPLESPERPIXEL, samples);
  TIFFSetField(file, TIFFTAG_BITSPERSAMPLE, kind.bits);
  TIFFSetField(file, TIFFTAG_COMPRESSION, kind.compression);
  TIFFSetField(file, TIFFTAG_PHOTOMETRIC, kind.photometric);
  TIFFSetField(file, TIFFTAG_PLANARCONFIG,
               kind.planar ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
  if (!kind.extra.empty())
    TIFFSetField(file, TIFFTAG_EXTRASAMPLES, static_cast<int>(kind.extra.size()),
                 kind.extra.data());
  if (kind.photometric == PHOTOMETRIC_YCBCR)
    TIFFSetField(file, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  const bool tiled = kind.block_width > 0;
  const int bw = tiled ? kind.block_width : width;
  const int bh = kind.block_height;
  if (tiled) {
    TIFFSetField(file, TIFFTAG_TILEWIDTH, bw);
    TIFFSetField(file, TIFFTAG_TILELENGTH, bh);
  } else {
    TIFFSetField(file, TIFFTAG_ROWSPERSTRIP, bh);
  }
  const int bytes = kind.bits / 8;
  for (int plane = 0; plane < (kind.planar ? samples : 1); ++plane)
    for (int y = 0; y < height; y += bh)
      for (int x = 0; x < width; x += bw) {
        const int rows = tiled ? bh : std::min(bh, height - y);
        const int per_pixel = kind.planar ? 1 : samples;
        std::vector<std::uint8_t> block(static_cast<std::size_t>(bw * rows * per_pixel * bytes));
        for (int v = 0; v < std::min(rows, height - y); ++v)
          for (int u = 0; u < std::min(bw, width - x); ++u)
            for (int s = 0; s < per_pixel; ++s) {
              const auto value = values[static_cast<std::size_t>(
                  ((y + v) * width + x + u) * samples + (kind.planar ? plane : s))];
              const auto at = static_cast<std::size_t>((v * bw + u) * per_pixel + s);
              if (bytes == 1) {
                block[at] = value;
              } else {
                const auto wide = static_cast<std::uint16_t>(value * 257 + kind.low_bits);
                std::memcpy(&block[at * 2], &wide, 2);
              }
            }
        const auto size = static_cast<tmsize_t>(block.size());
        const auto sample = static_cast<std::uint16_t>(plane);
        if (tiled)
          TIFFWriteEncodedTile(file,
                               TIFFComputeTile(file, static_cast<std::uint32_t>(x),
                                               static_cast<std::uint32_t>(y), 0, sample),
                               block.data(), size);
        else
          TIFFWriteEncodedStrip(file, TIFFComputeStrip(file, static_cast<std::uint32_t>(y), sample),
                                block.data(), size);
      }
  TIFFClose(file);
}

inline void write_tiff(const std::filesystem::path& path, const tiff_kind& kind,
                       const image& picture) {
  write_tiff(path, kind, picture.width, picture.height, picture.channels, picture.pixels);
}

} // namespace shoal::test
