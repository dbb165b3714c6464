#include "runtime/image/window_cover.hpp"

namespace shoal {
namespace {

constexpr int rows_in_group = 256;

bool share_pixels(const image_window& a, const image_window& b) {
  return a.x < b.right() && b.x < a.right() && a.y < b.bottom() && b.y < a.bottom();
}

std::size_t first_group(const image_window& window) {
  return static_cast<std::size_t>(window.y / rows_in_group);
}

std::size_t last_group(const image_window& window) {
  return static_cast<std::size_t>((window.bottom() - 1) / rows_in_group);
}

} // namespace

window_cover::window_cover(int width, int height)
    : missing_(static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height)) {}

std::optional<image_window> window_cover::overlap(const image_window& window) const {
  for (auto group = first_group(window); group <= last_group(window) && group < by_rows_.size();
       ++group)
    for (const auto i : by_rows_[group])
      if (share_pixels(windows_[i], window)) return windows_[i];
  return std::nullopt;
}

void window_cover::add(const image_window& window) {
  if (by_rows_.size() <= last_group(window)) by_rows_.resize(last_group(window) + 1);
  for (auto group = first_group(window); group <= last_group(window); ++group)
    by_rows_[group].push_back(windows_.size());
  windows_.push_back(window);
  missing_ -= static_cast<std::uint64_t>(window.area());
}

} // namespace shoal
