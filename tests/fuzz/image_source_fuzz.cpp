// Feeds bytes to what reads pictures by windows, TIFF above all, and to the reader of recipes: no
// input may crash them or take more memory than the limit, and windows must be what was asked for.
// The first byte selects.

#include "runtime/image/image_source.hpp"
#include "runtime/image/recipe.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace {

using namespace shoal;

constexpr image_source_limits limits{.max_bytes = 1 << 20};
constexpr int side = 64; // of the windows

void require(bool holds) {
  if (!holds) std::abort();
}

void try_windows(image_source& source) {
  const auto& extent = source.extent();
  const int width = std::min(extent.width, side), height = std::min(extent.height, side);
  for (const auto& [x, y] : {std::pair{0, 0},
                             {extent.width - width, height / 2},
                             {(extent.width - width) / 2, extent.height - height}}) {
    const image_window window{x, std::min(y, extent.height - height), width, height};
    const auto part = source.read(window);
    if (!part) continue;
    require(check_image(*part).has_value());
    require(part->width == width && part->height == height && part->channels == extent.channels);
    source.forget_before(window.y);
  }
}

void try_image(const std::uint8_t* data, std::size_t size) {
  const int file = ::memfd_create("image", MFD_CLOEXEC);
  require(file >= 0 && ::write(file, data, size) == static_cast<ssize_t>(size));
  const auto source = open_image_source(fmt::format("/proc/self/fd/{}", file), limits);
  if (source) try_windows(**source);
  ::close(file);
}

void try_recipe(byte_span bytes) {
  const auto made = parse_recipe(bytes);
  if (!made) return;
  static const auto output = tensor::of<float>({1, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 7, 6});
  static const std::vector<image_placement> place{{0.5, 0.5, 1, 2, 9, 8, 6, 6}};
  const auto answer = conclude(*made, output, place);
  if (!answer) return;
  if (const auto* values = std::get_if<tensor>(&*answer)) require(values->dims().rank() == 3);
  if (const auto* picture = std::get_if<image>(&*answer))
    require(check_image(*picture).has_value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] % 2 == 0)
    try_image(data + 1, size - 1);
  else
    try_recipe({reinterpret_cast<const std::byte*>(data) + 1, size - 1});
  return 0;
}
