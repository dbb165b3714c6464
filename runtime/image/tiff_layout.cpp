#include "runtime/image/tiff_layout.hpp"

#include "runtime/base/fail.hpp"

#include <tiffio.h>

#include <algorithm>
#include <limits>

namespace shoal {
namespace {

constexpr std::uint32_t max_side = std::numeric_limits<std::int32_t>::max();
constexpr std::uint32_t max_samples = 64;

template <class T>
T field(TIFF* handle, std::uint32_t tag, T otherwise) {
  T value = otherwise;
  return TIFFGetFieldDefaulted(handle, tag, &value) == 1 ? value : otherwise;
}

result<void> check_compression(std::uint16_t compression) {
  switch (compression) {
  case COMPRESSION_NONE:
  case COMPRESSION_LZW:
  case COMPRESSION_ADOBE_DEFLATE:
  case COMPRESSION_DEFLATE:
  case COMPRESSION_PACKBITS:
  case COMPRESSION_ZSTD:
  case COMPRESSION_LZMA:
  case COMPRESSION_JPEG:
    if (TIFFIsCODECConfigured(compression) != 0) return {};
    break;
  default:
    break;
  }
  const TIFFCodec* codec = TIFFFindCODEC(compression);
  return fail(errc::unsupported,
              "TIFF with compression {} ({}): expected none, LZW, Deflate, PackBits, Zstandard, "
              "LZMA or JPEG",
              compression, codec == nullptr ? "unknown" : codec->name);
}

result<void> read_colours(TIFF* handle, std::uint16_t compression, tiff_layout& layout) {
  std::uint16_t photometric = 0;
  if (TIFFGetField(handle, TIFFTAG_PHOTOMETRIC, &photometric) != 1)
    return fail(errc::malformed, "TIFF: it does not say what its samples mean (photometric)");
  switch (photometric) {
  case PHOTOMETRIC_MINISWHITE:
    layout.white_is_zero = true;
    [[fallthrough]];
  case PHOTOMETRIC_MINISBLACK:
    layout.gray = true;
    return {};
  case PHOTOMETRIC_RGB:
    return {};
  case PHOTOMETRIC_YCBCR:
    if (compression != COMPRESSION_JPEG) break;
    TIFFSetField(handle, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    return {};
  case PHOTOMETRIC_PALETTE:
    return fail(errc::unsupported, "TIFF with a palette: expected gray or red, green, blue");
  default:
    break;
  }
  return fail(
      errc::unsupported,
      "TIFF of photometric interpretation {}: expected gray (0, 1), red, green, blue (2) or "
      "YCbCr (6) within JPEG",
      photometric);
}

result<void> read_samples(TIFF* handle, tiff_layout& layout) {
  const auto bits = field<std::uint16_t>(handle, TIFFTAG_BITSPERSAMPLE, 1);
  const auto format = field<std::uint16_t>(handle, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  if ((bits != 8 && bits != 16) || (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID))
    return fail(errc::unsupported, "TIFF of {} bits per sample{}: expected unsigned 8 or 16", bits,
                format == SAMPLEFORMAT_IEEEFP                                ? " (float)"
                : format == SAMPLEFORMAT_UINT || format == SAMPLEFORMAT_VOID ? ""
                                                                             : " (not unsigned)");
  layout.bytes_per_sample = bits / 8u;
  layout.samples = field<std::uint16_t>(handle, TIFFTAG_SAMPLESPERPIXEL, 1);
  const std::uint32_t colours = layout.gray ? 1 : 3;
  if (layout.samples < colours || layout.samples > max_samples)
    return fail(errc::unsupported, "TIFF of {} samples per pixel: expected {} to {}",
                layout.samples, colours, max_samples);
  std::uint16_t extra = 0;
  std::uint16_t* kinds = nullptr;
  TIFFGetFieldDefaulted(handle, TIFFTAG_EXTRASAMPLES, &extra, &kinds);
  if (extra > 0 && layout.samples > colours && kinds != nullptr) {
    if (kinds[0] == EXTRASAMPLE_UNASSALPHA) layout.alpha = tiff_layout::alpha_kind::straight;
    if (kinds[0] == EXTRASAMPLE_ASSOCALPHA) layout.alpha = tiff_layout::alpha_kind::premultiplied;
  }
  layout.extent.channels = layout.alpha != tiff_layout::alpha_kind::none ? 4 : layout.gray ? 1 : 3;
  layout.planar = layout.samples > 1 &&
                  field<std::uint16_t>(handle, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) ==
                      PLANARCONFIG_SEPARATE;
  return {};
}

result<void> read_blocks(TIFF* handle, std::uint16_t compression, tiff_layout& layout) {
  const auto width = static_cast<std::uint32_t>(layout.extent.width);
  const auto height = static_cast<std::uint32_t>(layout.extent.height);
  layout.tiled = TIFFIsTiled(handle) != 0;
  if (layout.tiled) {
    layout.block_width = field<std::uint32_t>(handle, TIFFTAG_TILEWIDTH, 0);
    layout.block_height = field<std::uint32_t>(handle, TIFFTAG_TILELENGTH, 0);
  } else {
    layout.block_width = width;
    layout.block_height = std::min(
        height, field<std::uint32_t>(handle, TIFFTAG_ROWSPERSTRIP, static_cast<std::uint32_t>(-1)));
  }
  constexpr std::uint64_t too_many = std::uint64_t{1} << 40;
  if (layout.block_width == 0 || layout.block_height == 0 ||
      std::uint64_t{layout.block_width} * layout.block_height > too_many)
    return fail(errc::malformed, "TIFF: {}s of {} x {} pixels", layout.tiled ? "tile" : "strip",
                layout.block_width, layout.block_height);
  const auto fill_order = field<std::uint16_t>(handle, TIFFTAG_FILLORDER, FILLORDER_MSB2LSB);
  layout.plain = compression == COMPRESSION_NONE && fill_order == FILLORDER_MSB2LSB;
  const auto stored =
      layout.tiled ? TIFFTileSize64(handle) : TIFFVStripSize64(handle, layout.block_height);
  if (stored != layout.block_bytes())
    return fail(errc::malformed, "TIFF: {}s of {} bytes, expected {}",
                layout.tiled ? "tile" : "strip", stored, layout.block_bytes());
  return {};
}

} // namespace

std::uint32_t tiff_layout::sample_of(int channel) const {
  if (alpha != alpha_kind::none && channel == 3) return gray ? 1 : 3;
  return gray ? 0 : static_cast<std::uint32_t>(channel);
}

result<tiff_layout> read_tiff_layout(TIFF* handle) {
  tiff_layout layout;
  std::uint32_t width = 0, height = 0;
  TIFFGetField(handle, TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(handle, TIFFTAG_IMAGELENGTH, &height);
  if (width == 0 || height == 0)
    return fail(errc::malformed, "TIFF: a picture of {} x {} pixels", width, height);
  if (width > max_side || height > max_side)
    return fail(errc::unsupported, "TIFF of {} x {} pixels: expected at most {} each", width,
                height, max_side);
  layout.extent.width = static_cast<int>(width);
  layout.extent.height = static_cast<int>(height);
  const auto compression = field<std::uint16_t>(handle, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
  SHOAL_CHECK(check_compression(compression));
  SHOAL_CHECK(read_colours(handle, compression, layout));
  SHOAL_CHECK(read_samples(handle, layout));
  SHOAL_CHECK(read_blocks(handle, compression, layout));
  return layout;
}

} // namespace shoal
