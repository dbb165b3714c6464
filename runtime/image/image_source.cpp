#include "runtime/image/image_source.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/image/copy_window.hpp"
#include "runtime/image/forward_source.hpp"
#include "runtime/image/tiff_source.hpp"

#include <algorithm>
#include <array>

namespace shoal {
namespace {

class memory_source final : public image_source {
 public:
  explicit memory_source(image picture) : picture_(std::move(picture)) {
    describe({picture_.width, picture_.height, picture_.channels});
  }
  bool random_access() const override { return true; }

 private:
  result<void> fill(const image_window& window, image& picture) override {
    copy_window({picture_.pixels.data(), {0, 0, picture_.width, picture_.height}},
                {picture.pixels.data(), window}, window, picture_.channels);
    return {};
  }

  image picture_;
};

result<std::unique_ptr<image_source>> open_by_content(input_file file,
                                                      const image_source_limits& limits) {
  using namespace std::string_view_literals;
  std::array<std::byte, 8> start{};
  const auto known = std::min<std::uint64_t>(start.size(), file.size());
  SHOAL_CHECK(file.read_at(0, std::span(start).first(static_cast<std::size_t>(known))));
  const auto text = text_of(start);
  if (text == "\x89PNG\r\n\x1a\n")
    return open_forward_source(open_png_rows(std::make_unique<file_feed>(std::move(file))), "PNG",
                               limits);
  if (text.starts_with("\xff\xd8\xff"))
    return open_forward_source(open_jpeg_rows(std::make_unique<file_feed>(std::move(file))), "JPEG",
                               limits);
  for (const auto magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (text.starts_with(magic)) return open_tiff_source(std::move(file), limits);
  return fail(errc::malformed, "neither a TIFF nor a PNG nor a JPEG: {} bytes that start otherwise",
              file.size());
}

} // namespace

result<image> image_source::read(const image_window& window) {
  SHOAL_CHECK(check_window(window, extent_));
  SHOAL_TRY(auto picture, make_image(window.width, window.height, extent_.channels));
  SHOAL_CHECK(fill(window, picture));
  return picture;
}

result<std::unique_ptr<image_source>> open_image_source(const std::filesystem::path& path,
                                                        const image_source_limits& limits) {
  SHOAL_TRY(auto file, input_file::open(path));
  auto source = open_by_content(std::move(file), limits);
  if (!source) return std::move(source).error().within(path.string());
  return source;
}

result<std::unique_ptr<image_source>> make_memory_source(image picture) {
  SHOAL_CHECK(check_image(picture));
  return std::unique_ptr<image_source>(std::make_unique<memory_source>(std::move(picture)));
}

} // namespace shoal
