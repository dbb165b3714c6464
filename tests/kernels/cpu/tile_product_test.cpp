#include "kernels/cpu/tile_product.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace shoal;

namespace {

std::vector<float> random_floats(std::int64_t count, std::mt19937& random) {
  std::uniform_real_distribution<float> any(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (auto& v : values) v = any(random);
  return values;
}

/// A product of odd extents whose operands lie inside larger ones.
struct product {
  kernels::tile_problem p;
  std::vector<float> a, b, y;

  product(std::int64_t rows, std::int64_t columns, std::int64_t length, bool turned,
          std::mt19937& random)
      : a(random_floats((rows + 3) * (length + 2), random)),
        b(random_floats(length * (columns + 5), random)),
        y(static_cast<std::size_t>(rows * (columns + 1)), 77.0f) {
    p = {
        rows,     columns,     length,   a.data(),   turned ? 1 : length + 2, turned ? rows + 3 : 1,
        b.data(), columns + 5, y.data(), columns + 1};
  }
};

} // namespace

TEST_CASE("Products of tiles are sums of products, and write nothing beside them") {
  std::mt19937 random(20250301);
  for (const std::int64_t rows : {1, 3, 8, 13, 32})
    for (const std::int64_t columns : {1, 7, 19, 32, 63, 80})
      for (const std::int64_t length : {0, 1, 5, 64})
        for (const bool turned : {false, true}) {
          INFO("rows ", rows, " columns ", columns, " length ", length, " turned ", turned);
          product of(rows, columns, length, turned, random);
          kernels::tile_product(of.p);
          double worst = 0;
          bool kept = true;
          for (std::int64_t i = 0; i < rows; ++i) {
            for (std::int64_t j = 0; j < columns; ++j) {
              double sum = 0;
              for (std::int64_t l = 0; l < length; ++l)
                sum += static_cast<double>(of.p.a[i * of.p.a_row + l * of.p.a_step]) *
                       static_cast<double>(of.p.b[l * of.p.b_row + j]);
              worst = std::max(
                  worst, std::abs(sum - static_cast<double>(
                                            of.y[static_cast<std::size_t>(i * of.p.y_row + j)])));
            }
            kept = kept && of.y[static_cast<std::size_t>(i * of.p.y_row + columns)] == 77.0f;
          }
          CHECK(worst < 1e-5);
          CHECK(kept);
        }
}

TEST_CASE("A part of a product of tiles has the bits that the whole one has there") {
  std::mt19937 random(20250302);
  product whole(29, 83, 50, false, random);
  kernels::tile_product(whole.p);
  for (const std::int64_t rows : {1, 2, 6, 11})
    for (const std::int64_t columns : {1, 9, 16, 40}) {
      auto part = whole.p;
      std::vector<float> y(static_cast<std::size_t>(rows * columns));
      part.rows = rows;
      part.columns = columns;
      part.a += 3 * part.a_row;
      part.b += 5;
      part.y = y.data();
      part.y_row = columns;
      kernels::tile_product(part);
      bool same = true;
      for (std::int64_t i = 0; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j)
          same = same && y[static_cast<std::size_t>(i * columns + j)] ==
                             whole.y[static_cast<std::size_t>((i + 3) * whole.p.y_row + j + 5)];
      CHECK(same);
    }
}
