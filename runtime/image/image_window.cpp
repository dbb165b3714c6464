#include "runtime/image/image_window.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

std::string to_string(const image_window& window) {
  return fmt::format("{} x {} pixels at ({}, {})", window.width, window.height, window.x, window.y);
}

result<void> check_window(const image_window& window, const image_extent& picture) {
  if (window.x < 0 || window.y < 0 || window.width < 1 || window.height < 1 ||
      window.right() > picture.width || window.bottom() > picture.height)
    return fail(errc::invalid_argument, "expected a window inside {} x {} pixels, got {}",
                picture.width, picture.height, to_string(window));
  return {};
}

} // namespace shoal
