#include "runtime/image/image_sink.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/image/copy_window.hpp"
#include "runtime/image/png_sink.hpp"
#include "runtime/image/tiff_sink.hpp"

#include <algorithm>

namespace shoal {
namespace {

result<void> check_extent(const image_extent& extent) {
  if (extent.width >= 1 && extent.height >= 1 &&
      (extent.channels == 1 || extent.channels == 3 || extent.channels == 4))
    return {};
  return fail(errc::invalid_argument,
              "a picture of {} x {} pixels and {} channels: expected at least 1 x 1 and 1, 3 or 4",
              extent.width, extent.height, extent.channels);
}

} // namespace

result<void> image_sink::write(const image_window& window, const image& pixels) {
  SHOAL_CHECK(check_image(pixels));
  SHOAL_CHECK(check_window(window, extent_));
  if (pixels.width != window.width || pixels.height != window.height ||
      pixels.channels != extent_.channels)
    return fail(errc::invalid_argument,
                "expected {} x {} pixels of {} channels for a window of that size, got {} x {} of "
                "{}",
                window.width, window.height, extent_.channels, pixels.width, pixels.height,
                pixels.channels);
  if (const auto other = cover_.overlap(window))
    return fail(errc::invalid_argument, "{} were written already: {}", to_string(*other),
                to_string(window));
  SHOAL_CHECK(store(window, pixels));
  cover_.add(window);
  return {};
}

result<void> image_sink::finish() {
  if (finished_) return {};
  if (cover_.missing_pixels() > 0)
    return fail(errc::invalid_argument,
                "{} pixels of a picture of {} x {} were not written, in {} windows",
                cover_.missing_pixels(), extent_.width, extent_.height, cover_.count());
  SHOAL_CHECK(complete());
  finished_ = true;
  return {};
}

void image_sink::resume(std::vector<image_window> done) {
  for (const auto& window : done) cover_.add(window);
  done_ = std::move(done);
}

result<std::unique_ptr<image_sink>> create_image_sink(const std::filesystem::path& path,
                                                      const image_extent& extent,
                                                      const image_sink_options& options) {
  std::string kind = path.extension().string();
  std::transform(kind.begin(), kind.end(), kind.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  SHOAL_CHECK(check_extent(extent));
  if (kind == ".tif" || kind == ".tiff") return create_tiff_sink(path, extent, options);
  if (kind == ".png") return create_png_sink(path, extent, options);
  return fail(errc::invalid_argument,
              "{}: expected the extension .tif, .tiff or .png for a picture written in windows",
              path.string());
}

result<std::unique_ptr<memory_sink>> memory_sink::create(const image_extent& extent) {
  SHOAL_TRY(auto picture, make_image(extent.width, extent.height, extent.channels));
  return std::unique_ptr<memory_sink>(new memory_sink(extent, std::move(picture)));
}

result<void> memory_sink::store(const image_window& window, const image& pixels) {
  copy_window({pixels.pixels.data(), window},
              {picture_.pixels.data(), {0, 0, picture_.width, picture_.height}}, window,
              picture_.channels);
  return {};
}

} // namespace shoal
