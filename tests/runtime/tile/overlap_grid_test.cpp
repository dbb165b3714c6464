#include "runtime/tile/overlap_grid.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Where a walker ends who goes `steps` to the right from 0 and turns round at either end.
std::int64_t bounced(std::int64_t steps, std::int64_t extent) {
  std::int64_t at = 0, direction = 1;
  for (std::int64_t i = 0; i < steps && extent > 1; ++i) {
    if (at + direction < 0 || at + direction >= extent) direction = -direction;
    at += direction;
  }
  return at;
}

tensor counted_image(const shape& dims) {
  auto image = *tensor::allocate({dtype::f32, dims});
  float next = 1;
  for (auto& v : image.mutable_values<float>()) v = next++;
  return image;
}

} // namespace

TEST_CASE("tiles cover the image from its first element to its last, and overlap as asked") {
  random_numbers numbers(12);
  for (int round = 0; round < 2000; ++round) {
    const auto extent = 1 + numbers.below(200), tile = 1 + numbers.below(60);
    const auto divisor = numbers.chance(2) ? 1 : 1 + numbers.below(8);
    const auto shared = numbers.below(tile);
    const auto last = numbers.chance(2) ? last_tile::pad : last_tile::shift_inward;
    CAPTURE(extent);
    CAPTURE(tile);
    CAPTURE(divisor);
    CAPTURE(shared);
    const auto axis = overlap_axis::divide(extent, tile, shared, last, divisor);
    REQUIRE(axis);
    const auto& origins = axis->origins;
    CHECK(axis->tile % divisor == 0);
    CHECK(axis->tile < std::min(tile, extent) + divisor);
    CHECK(axis->tile >= std::min(tile, extent));
    CHECK(origins.front() == 0);
    const auto end = origins.back() + axis->tile;
    CHECK(end >= extent);
    if (last == last_tile::shift_inward) CHECK(end < extent + divisor);
    for (std::size_t i = 1; i < origins.size(); ++i) {
      CHECK(origins[i] % divisor == 0);
      CHECK(origins[i] > origins[i - 1]);
      CHECK(origins[i] < extent);
      // What neighbours share: at least what was asked for, unless the divisor allows no less.
      const auto step = origins[i] - origins[i - 1];
      const bool enough = axis->tile - step >= shared;
      CHECK((enough || step == divisor));
      if (i + 1 < origins.size() && divisor == 1) CHECK(axis->tile - step == shared);
    }
  }
}

TEST_CASE("an overlap may be a share of the tile") {
  const auto axis = overlap_axis::divide(100, 40, 0.25, last_tile::shift_inward, 1);
  CHECK(axis->origins == std::vector<std::int64_t>{0, 30, 60});
  const auto padded = overlap_axis::divide(101, 40, 0.25, last_tile::pad, 1);
  CHECK(padded->origins == std::vector<std::int64_t>{0, 30, 60, 90});
  const auto shifted = overlap_axis::divide(101, 40, 0.25, last_tile::shift_inward, 1);
  CHECK(shifted->origins == std::vector<std::int64_t>{0, 30, 60, 61});
}

TEST_CASE("tiles hold the image, and beyond it what the padding says") {
  random_numbers numbers(8);
  for (int round = 0; round < 120; ++round) {
    const auto height = 1 + numbers.below(12), width = 1 + numbers.below(12);
    overlap_options options;
    options.height = 1 + numbers.below(14);
    options.width = 1 + numbers.below(14);
    options.overlap = 0.3;
    options.last = numbers.chance(2) ? last_tile::pad : last_tile::shift_inward;
    options.divisor = 1 + numbers.below(5);
    options.padding = static_cast<tile_padding>(numbers.below(3));
    options.padding_value = -5;
    const auto image = counted_image({1, 2, height, width});
    const auto grid = *overlap_grid::make(height, width, options);
    const auto all = *grid.cut(image, 0, grid.count());
    for (std::size_t t = 0; t < grid.count(); ++t) {
      const auto tile = *grid.cut(image, t);
      const auto th = grid.rows().tile, tw = grid.columns().tile;
      REQUIRE(tile.dims() == shape{1, 2, th, tw});
      const auto batched = all.values<float>().subspan(t * static_cast<std::size_t>(2 * th * tw),
                                                       static_cast<std::size_t>(2 * th * tw));
      CHECK(std::ranges::equal(tile.values<float>(), batched));
      for (std::int64_t c = 0; c < 2; ++c)
        for (std::int64_t y = 0; y < th; ++y)
          for (std::int64_t x = 0; x < tw; ++x) {
            auto row = grid.rows().origins[grid.row_of(t)] + y;
            auto column = grid.columns().origins[grid.column_of(t)] + x;
            const bool outside = row >= height || column >= width;
            if (options.padding == tile_padding::edge) {
              row = std::min(row, height - 1);
              column = std::min(column, width - 1);
            } else {
              row = bounced(row, height);
              column = bounced(column, width);
            }
            const auto expected = outside && options.padding == tile_padding::constant
                                      ? -5.f
                                      : static_cast<float>((c * height + row) * width + column + 1);
            REQUIRE(tile.values<float>()[static_cast<std::size_t>((c * th + y) * tw + x)] ==
                    expected);
          }
    }
  }
}

TEST_CASE("grids that cannot be are refused in words") {
  const auto message = [](std::int64_t height, std::int64_t width, const auto& change) {
    overlap_options options;
    change(options);
    const auto made = overlap_grid::make(height, width, options);
    REQUIRE(!made);
    CHECK(made.error().code() == errc::invalid_argument);
    return made.error().message();
  };
  CHECK(message(0, 5, [](auto&) {}) == "rows: an image of 0 elements; expected 1 to 1099511627776");
  CHECK(message(5, 5, [](auto& o) { o.width = 0; }) ==
        "columns: a tile of 0 elements; expected 1 to 1099511627776");
  CHECK(message(5, 5, [](auto& o) { o.overlap = 1.0; }) ==
        "rows: tiles overlap by a share in [0, 1), not 1");
  CHECK(message(5, 5, [](auto& o) { o.overlap = std::int64_t{512}; }) ==
        "rows: tiles of 512 elements cannot overlap by 512");
  CHECK(message(1 << 30, 5,
                [](auto& o) {
                  o.height = 2;
                  o.overlap = std::int64_t{1};
                }) ==
        "rows: 1073741824 elements in tiles of 2 that begin every 1 are 1073741823 tiles, "
        "more than 16777216");
  const auto grid = *overlap_grid::make(4, 6, {});
  CHECK(grid.cut(counted_image({1, 6, 4}), 0).error().message() ==
        "the tiles are of an image [...,4,6], got float32[1,6,4]");
  CHECK(grid.cut(counted_image({2, 4, 6}), 0, 1).error().message() ==
        "several tiles are cut from an image [1,...,4,6], got float32[2,4,6]");
}
