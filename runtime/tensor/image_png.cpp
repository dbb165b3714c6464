#include "runtime/base/fail.hpp"
#include "runtime/tensor/image.hpp"

#include <png.h>

#include <new>

namespace shoal {

result<std::vector<std::byte>> encode_png(const image& picture) {
  SHOAL_CHECK(check_image(picture));
  png_image description{};
  description.version = PNG_IMAGE_VERSION;
  description.width = static_cast<png_uint_32>(picture.width);
  description.height = static_cast<png_uint_32>(picture.height);
  description.format = picture.channels == 1   ? PNG_FORMAT_GRAY
                       : picture.channels == 3 ? PNG_FORMAT_RGB
                                               : PNG_FORMAT_RGBA;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(description);
  std::vector<std::byte> bytes;
  try {
    bytes.resize(size);
  } catch (const std::bad_alloc&) {
    return fail(errc::resource_exhausted, "no memory for a PNG of {} x {} pixels", picture.width,
                picture.height);
  }
  if (png_image_write_to_memory(&description, bytes.data(), &size, 0, picture.pixels.data(), 0,
                                nullptr) == 0)
    return fail(errc::resource_exhausted, "cannot encode a PNG of {} x {} pixels: {}",
                picture.width, picture.height, description.message);
  bytes.resize(size);
  return bytes;
}

} // namespace shoal
