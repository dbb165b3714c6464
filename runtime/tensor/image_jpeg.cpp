#include "runtime/base/fail.hpp"
#include "runtime/tensor/image_codecs.hpp"

#include <jerror.h>
#include <jpeglib.h>

#include <csetjmp>
#include <cstdio> // jpeglib.h needs it
#include <cstdlib>
#include <memory>

// libjpeg reports errors by longjmp. Functions that call setjmp here own nothing and have only
// parameters and trivial locals: whatever has a destructor lives in their callers.

namespace shoal {
namespace {

// No encoder writes more scans than a few dozen; each costs a walk over the whole picture.
constexpr int max_scans = 100;
// Huffman coding spends at least a bit on each 8 x 8 block.
constexpr std::uint64_t max_pixels_per_byte = 512;

struct jpeg_errors {
  jpeg_error_mgr manager{};
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX] = "";
};

struct jpeg_reader {
  jpeg_errors errors;
  jpeg_progress_mgr progress{};
  jpeg_decompress_struct info{};

  jpeg_reader() = default;
  jpeg_reader(const jpeg_reader&) = delete;
  jpeg_reader& operator=(const jpeg_reader&) = delete;
  ~jpeg_reader() { jpeg_destroy_decompress(&info); } // fine for one that was never created
};

struct jpeg_writer {
  jpeg_errors errors;
  jpeg_compress_struct info{};
  unsigned char* buffer = nullptr; // malloced by libjpeg
  unsigned long size = 0;

  jpeg_writer() = default;
  jpeg_writer(const jpeg_writer&) = delete;
  jpeg_writer& operator=(const jpeg_writer&) = delete;
  ~jpeg_writer() {
    jpeg_destroy_compress(&info);
    std::free(buffer);
  }
};

[[noreturn]] void on_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<jpeg_errors*>(info->err);
  info->err->format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

/// Nothing is printed. Pixels that are made up because data are missing are an error.
void on_message(j_common_ptr info, int level) {
  if (level >= 0) return;
  const int code = info->err->msg_code;
  if (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)
    on_error(info);
}

void on_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > max_scans)
    ERREXIT1(info, JERR_BAD_PROGRESSION, 0);
}

void install(jpeg_errors& errors) {
  jpeg_std_error(&errors.manager);
  errors.manager.error_exit = on_error;
  errors.manager.emit_message = on_message;
}

bool read_header(jpeg_reader& reader, byte_span bytes) {
  install(reader.errors);
  reader.info.err = &reader.errors.manager;
  if (setjmp(reader.errors.jump) != 0) return false;
  jpeg_create_decompress(&reader.info);
  reader.progress.progress_monitor = on_progress;
  reader.info.progress = &reader.progress;
  jpeg_mem_src(&reader.info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&reader.info, TRUE);
  return true;
}

bool read_pixels(jpeg_reader& reader, std::uint8_t* pixels, std::size_t row_bytes) {
  jpeg_decompress_struct& info = reader.info;
  if (setjmp(reader.errors.jump) != 0) return false;
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row = pixels + info.output_scanline * row_bytes;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

bool write_all(jpeg_writer& writer, const image& picture, int quality) {
  jpeg_compress_struct& info = writer.info;
  install(writer.errors);
  info.err = &writer.errors.manager;
  if (setjmp(writer.errors.jump) != 0) return false;
  jpeg_create_compress(&info);
  jpeg_mem_dest(&info, &writer.buffer, &writer.size);
  info.image_width = static_cast<JDIMENSION>(picture.width);
  info.image_height = static_cast<JDIMENSION>(picture.height);
  info.input_components = picture.channels;
  info.in_color_space = picture.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    const auto begin = std::size_t{info.next_scanline} * info.image_width *
                       static_cast<std::size_t>(info.input_components);
    JSAMPROW row = const_cast<JSAMPROW>(picture.pixels.data() + begin);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  return true;
}

} // namespace

result<image> decode_jpeg(byte_span bytes, std::uint64_t max_pixels) {
  const auto reader = std::make_unique<jpeg_reader>();
  auto& info = reader->info;
  if (!read_header(*reader, bytes))
    return fail(errc::malformed, "JPEG: {}", reader->errors.message);
  int channels = 3;
  switch (info.jpeg_color_space) {
  case JCS_GRAYSCALE:
    channels = 1;
    info.out_color_space = JCS_GRAYSCALE;
    break;
  case JCS_YCbCr:
  case JCS_RGB:
    info.out_color_space = JCS_RGB;
    break;
  case JCS_CMYK:
  case JCS_YCCK:
    return fail(errc::unsupported, "JPEG in CMYK: expected gray or colour (YCbCr or RGB)");
  default:
    return fail(errc::unsupported, "JPEG of {} components of unknown meaning", info.num_components);
  }
  const auto pixels = std::uint64_t{info.image_width} * info.image_height;
  if (pixels > max_pixels)
    return fail(errc::resource_exhausted, "JPEG of {} x {} pixels, more than the {} allowed",
                info.image_width, info.image_height, max_pixels);
  if (info.arith_code == FALSE && pixels / max_pixels_per_byte > bytes.size())
    return fail(errc::malformed, "JPEG: {} x {} pixels cannot come from {} bytes", info.image_width,
                info.image_height, bytes.size());
  SHOAL_TRY(auto picture, make_image(static_cast<int>(info.image_width),
                                     static_cast<int>(info.image_height), channels, max_pixels));
  const auto row_bytes =
      static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(channels);
  if (!read_pixels(*reader, picture.pixels.data(), row_bytes))
    return fail(errc::malformed, "JPEG: {}", reader->errors.message);
  return picture;
}

result<std::vector<std::byte>> encode_jpeg(const image& picture, int quality) {
  SHOAL_CHECK(check_image(picture));
  if (picture.channels == 4)
    return fail(errc::unsupported, "JPEG has no alpha: expected 1 or 3 channels, got 4");
  if (picture.width > JPEG_MAX_DIMENSION || picture.height > JPEG_MAX_DIMENSION)
    return fail(errc::unsupported, "JPEG of {} x {} pixels: expected at most {} each",
                picture.width, picture.height, JPEG_MAX_DIMENSION);
  if (quality < 1 || quality > 100)
    return fail(errc::invalid_argument, "JPEG quality {}: expected 1 to 100", quality);
  const auto writer = std::make_unique<jpeg_writer>();
  if (!write_all(*writer, picture, quality))
    return fail(errc::resource_exhausted, "cannot encode a JPEG of {} x {} pixels: {}",
                picture.width, picture.height, writer->errors.message);
  const auto* begin = reinterpret_cast<const std::byte*>(writer->buffer);
  return std::vector<std::byte>(begin, begin + writer->size);
}

} // namespace shoal
