#pragma once

#include "runtime/image/image_window.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace shoal {

/// Windows of a picture that must not overlap, and whether they cover it.
class window_cover {
 public:
  window_cover(int width, int height);

  /// One of those added that shares pixels with `window`.
  std::optional<image_window> overlap(const image_window& window) const;
  /// A window inside of the picture that overlaps none.
  void add(const image_window& window);

  std::size_t count() const { return windows_.size(); }
  std::uint64_t missing_pixels() const { return missing_; }

 private:
  std::uint64_t missing_;
  std::vector<image_window> windows_;
  /// By groups of rows, the windows that have some of them: only those are compared.
  std::vector<std::vector<std::size_t>> by_rows_;
};

} // namespace shoal
