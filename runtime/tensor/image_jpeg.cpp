#include "runtime/base/fail.hpp"
#include "runtime/tensor/image.hpp"
#include "runtime/tensor/jpeg_errors.hpp"

#include <cstdlib>
#include <memory>

namespace shoal {
namespace {

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
