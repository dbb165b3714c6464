#pragma once

#include "runtime/image/image_window.hpp"

#include <algorithm>
#include <random>
#include <vector>

namespace shoal::test {

/// Windows that cover a picture once: bands of rows from top to bottom, each cut into columns of
/// its own, in random order within the band.
inline std::vector<image_window> random_tiling(int width, int height, std::mt19937_64& random) {
  const auto upto = [&](int n) {
    return 1 + static_cast<int>(random() % static_cast<unsigned>(std::max(1, n)));
  };
  std::vector<image_window> tiling;
  for (int y = 0; y < height;) {
    const int rows = std::min(upto(height / 2), height - y);
    const auto first = static_cast<std::ptrdiff_t>(tiling.size());
    for (int x = 0; x < width;) {
      const int columns = std::min(upto(width / 2), width - x);
      tiling.push_back({x, y, columns, rows});
      x += columns;
    }
    std::shuffle(tiling.begin() + first, tiling.end(), random);
    y += rows;
  }
  return tiling;
}

} // namespace shoal::test
