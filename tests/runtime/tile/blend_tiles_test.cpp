#include "runtime/tile/blend_tiles.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Gathers what a blender hands on, and that it does so in order.
struct gathered {
  std::vector<tensor> pieces;
  std::int64_t next = 0;

  blended_rows sink() {
    return [this](std::int64_t first, const tensor& rows) -> result<void> {
      CHECK(first == next);
      next += rows.dims()[rows.dims().rank() - 2];
      pieces.push_back(rows);
      return {};
    };
  }
  tensor whole() const {
    auto type = pieces.front().type();
    const int axis = type.dims.rank() - 2;
    type.dims[axis] = next;
    auto out = *tensor::allocate(type);
    const auto planes = type.dims.element_count(0, axis);
    auto* to = out.mutable_data();
    for (std::int64_t p = 0; p < planes; ++p)
      for (const auto& piece : pieces) {
        const auto bytes = piece.byte_size() / static_cast<std::size_t>(planes);
        std::copy_n(piece.data() + static_cast<std::size_t>(p) * bytes, bytes, to);
        to += bytes;
      }
    return out;
  }
};

overlap_grid random_grid(random_numbers& numbers, std::int64_t height, std::int64_t width,
                         std::int64_t divisor = 1) {
  overlap_options options;
  options.height = 1 + numbers.below(20);
  options.width = 1 + numbers.below(20);
  options.overlap = static_cast<double>(numbers.uniform(0, 0.9f));
  options.last = numbers.chance(2) ? last_tile::pad : last_tile::shift_inward;
  options.divisor = divisor;
  return *overlap_grid::make(height, width, options);
}

std::vector<std::size_t> shuffled(random_numbers& numbers, std::size_t count) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = count; i > 1; --i)
    std::swap(order[i - 1],
              order[static_cast<std::size_t>(numbers.below(static_cast<std::int64_t>(i)))]);
  return order;
}

tensor blend(const overlap_grid& grid, const blend_options& options,
             const std::vector<tensor>& tiles, const std::vector<std::size_t>& order) {
  gathered all;
  auto blender = tile_blender::make(grid, options, all.sink());
  REQUIRE(blender);
  for (const auto t : order) {
    CHECK(!blender->finished());
    REQUIRE(blender->add(t, tiles[t]));
  }
  CHECK(blender->finished());
  CHECK(blender->held() == 0);
  CHECK(all.next == blender->height());
  return all.whole();
}

/// Every element twice in both directions.
tensor doubled(const tensor& image) {
  auto type = image.type();
  const int rank = type.dims.rank();
  const auto h = type.dims[rank - 2], w = type.dims[rank - 1];
  const auto planes = type.dims.element_count(0, rank - 2);
  type.dims[rank - 2] = 2 * h;
  type.dims[rank - 1] = 2 * w;
  auto out = *tensor::allocate(type);
  for (std::int64_t p = 0; p < planes; ++p)
    for (std::int64_t y = 0; y < 2 * h; ++y)
      for (std::int64_t x = 0; x < 2 * w; ++x)
        out.mutable_values<float>()[static_cast<std::size_t>((p * 2 * h + y) * 2 * w + x)] =
            image.values<float>()[static_cast<std::size_t>((p * h + y / 2) * w + x / 2)];
  return out;
}

/// Every fourth element in both directions.
tensor quartered(const tensor& image) {
  auto type = image.type();
  const int rank = type.dims.rank();
  const auto h = type.dims[rank - 2], w = type.dims[rank - 1];
  const auto planes = type.dims.element_count(0, rank - 2);
  type.dims[rank - 2] = (h + 3) / 4;
  type.dims[rank - 1] = (w + 3) / 4;
  auto out = *tensor::allocate(type);
  auto* to = out.mutable_values<float>().data();
  for (std::int64_t p = 0; p < planes; ++p)
    for (std::int64_t y = 0; y < h; y += 4)
      for (std::int64_t x = 0; x < w; x += 4)
        *to++ = image.values<float>()[static_cast<std::size_t>((p * h + y) * w + x)];
  return out;
}

blend_kind random_kind(random_numbers& numbers, const overlap_grid& grid,
                       const blend_scale& scale) {
  const auto which = numbers.below(5);
  if (which < 4) return static_cast<blend_shape>(which);
  auto map = *tensor::allocate(
      {dtype::f32,
       {grid.rows().tile * scale.up / scale.down, grid.columns().tile * scale.up / scale.down}});
  for (auto& v : map.mutable_values<float>()) v = numbers.chance(4) ? 0 : numbers.uniform(0.1f, 3);
  map.mutable_values<float>()[0] = 1; // not all zero
  return map;
}

} // namespace

TEST_CASE("tiling a function of single elements gives the whole, bit by bit, at every scale") {
  random_numbers numbers(2);
  for (int round = 0; round < 150; ++round) {
    const auto height = 1 + numbers.below(40), width = 1 + numbers.below(40);
    const auto grid = random_grid(numbers, height, width, 4);
    const auto image = numbers.tensor_of({1, 2, height, width}, 3);
    std::vector<tensor> same, twice, quarter;
    for (std::size_t t = 0; t < grid.count(); ++t) {
      same.push_back(*grid.cut(image, t));
      twice.push_back(doubled(same.back()));
      quarter.push_back(quartered(same.back()));
    }
    const auto order = shuffled(numbers, grid.count());
    blend_options options;
    options.weights = random_kind(numbers, grid, options.scale);
    CHECK(identical(blend(grid, options, same, order), image));
    options.scale = {2, 1};
    options.weights = random_kind(numbers, grid, options.scale);
    CHECK(identical(blend(grid, options, twice, order), doubled(image)));
    options.scale = {1, 4};
    options.weights = random_kind(numbers, grid, options.scale);
    CHECK(identical(blend(grid, options, quarter, order), quartered(image)));
  }
}

TEST_CASE("where tiles disagree the answer is their weighted mean, whatever order they come in") {
  random_numbers numbers(31);
  for (int round = 0; round < 60; ++round) {
    const auto height = 1 + numbers.below(30), width = 1 + numbers.below(30);
    const auto grid = random_grid(numbers, height, width);
    const auto& rows = grid.rows();
    const auto& columns = grid.columns();
    std::vector<tensor> tiles;
    for (std::size_t t = 0; t < grid.count(); ++t)
      tiles.push_back(numbers.tensor_of({3, rows.tile, columns.tile}, 3));
    const auto shape_of = static_cast<blend_shape>(numbers.below(4));
    blend_options options;
    options.weights = shape_of;
    const auto got = blend(grid, options, tiles, shuffled(numbers, grid.count()));
    CHECK(identical(got, blend(grid, options, tiles, shuffled(numbers, grid.count()))));

    const auto down = *blend_axis::scale(rows, {}), across = *blend_axis::scale(columns, {});
    std::vector<double> sums(static_cast<std::size_t>(3 * height * width), 0), weights(sums);
    for (std::size_t t = 0; t < grid.count(); ++t) {
      const auto r = grid.row_of(t), c = grid.column_of(t);
      const auto wy = down.weights(shape_of, r), wx = across.weights(shape_of, c);
      for (std::int64_t p = 0; p < 3; ++p)
        for (std::int64_t y = 0; y < rows.tile; ++y)
          for (std::int64_t x = 0; x < columns.tile; ++x) {
            const auto row = rows.origins[r] + y, column = columns.origins[c] + x;
            if (row >= height || column >= width) continue;
            const auto w = wy[static_cast<std::size_t>(y)] * wx[static_cast<std::size_t>(x)];
            const auto at = static_cast<std::size_t>((p * height + row) * width + column);
            const auto from = static_cast<std::size_t>((p * rows.tile + y) * columns.tile + x);
            sums[at] += w * static_cast<double>(tiles[t].values<float>()[from]);
            weights[at] += w;
          }
    }
    for (std::size_t i = 0; i < sums.size(); ++i)
      REQUIRE(got.values<float>()[i] == static_cast<float>(sums[i] / weights[i]));
  }
}

TEST_CASE("rows are handed on as soon as no tile to come touches them") {
  const auto grid = *overlap_grid::make(
      50, 30, {.height = 20, .width = 20, .overlap = std::int64_t{5}, .last = last_tile::pad});
  REQUIRE(grid.rows().origins == std::vector<std::int64_t>{0, 15, 30});
  gathered all;
  auto blender = *tile_blender::make(grid, {}, all.sink());
  const auto tile = *tensor::allocate({dtype::f32, {1, 20, 20}});
  std::vector<std::int64_t> done;
  for (const std::size_t t : {1, 0, 3, 5, 2, 4}) {
    REQUIRE(blender.add(t, tile.clone()));
    REQUIRE(blender.add(t, tile.clone())); // again: dropped
    done.push_back(all.next);
  }
  CHECK(done == std::vector<std::int64_t>{0, 15, 15, 15, 30, 50});
  CHECK(blender.finished());
}

TEST_CASE("weights are symmetric, above zero, and peak in the middle") {
  for (std::int64_t n = 1; n < 70; ++n) {
    const blend_axis axis{n, n, {0}};
    for (const auto kind : {blend_shape::constant, blend_shape::gaussian, blend_shape::cosine}) {
      const auto w = axis.weights(kind, 0);
      for (std::size_t i = 0; i < w.size(); ++i) {
        CHECK(w[i] > 0);
        CHECK(w[i] == doctest::Approx(w[w.size() - 1 - i]).epsilon(1e-12));
        CHECK(w[i] <= w[w.size() / 2] * (1 + 1e-12));
      }
    }
  }
  const blend_axis axis{9, 9, {0}};
  const auto gaussian = axis.weights(blend_shape::gaussian, 0);
  CHECK(gaussian[4] == 1);
  CHECK(gaussian[0] == doctest::Approx(std::exp(-16.0 / (2 * 1.125 * 1.125))));
  CHECK(axis.weights(blend_shape::cosine, 0)[4] == doctest::Approx(1));
}

TEST_CASE("cropped to their centres tiles meet in the middle of what they share") {
  random_numbers numbers(4);
  for (int round = 0; round < 300; ++round) {
    const auto extent = 1 + numbers.below(100), tile = 1 + numbers.below(30);
    const auto image =
        *overlap_axis::divide(extent, tile, numbers.below(tile), last_tile::shift_inward, 1);
    const auto axis = *blend_axis::scale(image, {3, 1});
    std::vector<int> owners(static_cast<std::size_t>(axis.extent), 0);
    for (std::size_t k = 0; k < axis.origins.size(); ++k) {
      const auto w = axis.weights(blend_shape::crop_centre, k);
      for (std::size_t i = 0; i < w.size(); ++i) {
        const auto at = static_cast<std::size_t>(axis.origins[k]) + i;
        if (w[i] == 0) continue;
        ++owners.at(at);
        // No neighbour has it further from its ends.
        const auto depth = [&](std::size_t other) {
          const auto from = static_cast<std::int64_t>(at) - axis.origins[other];
          return std::min(from, axis.tile - 1 - from);
        };
        if (k > 0 && static_cast<std::int64_t>(at) < axis.origins[k - 1] + axis.tile)
          CHECK(depth(k) >= depth(k - 1));
        if (k + 1 < axis.origins.size() && static_cast<std::int64_t>(at) >= axis.origins[k + 1])
          CHECK(depth(k) + 1 >= depth(k + 1));
      }
    }
    CHECK(std::ranges::all_of(owners, [](int n) { return n == 1; }));
  }
}

TEST_CASE("only the best channel of every place is kept when that is asked for") {
  random_numbers numbers(6);
  for (const std::int64_t channels : {1, 5, 300}) {
    const auto image = numbers.tensor_of({1, channels, 13, 9}, 2);
    const auto grid = random_grid(numbers, 13, 9);
    std::vector<tensor> tiles;
    for (std::size_t t = 0; t < grid.count(); ++t) tiles.push_back(*grid.cut(image, t));
    blend_options options;
    options.reduction = blend_reduction::argmax;
    const auto got = blend(grid, options, tiles, shuffled(numbers, grid.count()));
    REQUIRE(got.dims() == shape{1, 13, 9});
    REQUIRE(got.element_type() == (channels <= 256 ? dtype::u8 : dtype::i32));
    for (std::size_t i = 0; i < 13 * 9; ++i) {
      std::int64_t best = 0;
      const auto score = [&](std::int64_t c) {
        return image.values<float>()[static_cast<std::size_t>(c) * 13 * 9 + i];
      };
      for (std::int64_t c = 1; c < channels; ++c)
        if (score(c) > score(best)) best = c;
      const auto label = channels <= 256 ? static_cast<std::int64_t>(got.values<std::uint8_t>()[i])
                                         : got.values<std::int32_t>()[i];
      REQUIRE(label == best);
    }
  }
}

TEST_CASE("batches of tiles are the same as tiles one by one") {
  random_numbers numbers(19);
  const auto grid = *overlap_grid::make(31, 22, {.height = 10, .width = 8, .overlap = 0.5});
  const auto image = numbers.tensor_of({1, 2, 31, 22}, 1);
  gathered all;
  auto blender = *tile_blender::make(grid, {}, all.sink());
  for (std::size_t first = 0; first < grid.count(); first += 4) {
    const auto count = std::min<std::size_t>(4, grid.count() - first);
    REQUIRE(blender.add_batch(first, *grid.cut(image, first, count)));
  }
  CHECK(blender.finished());
  CHECK(identical(all.whole(), image));
}

TEST_CASE("what does not fit into the grid is refused in words that name the tile") {
  const auto grid = *overlap_grid::make(20, 20, {.height = 10, .width = 10, .overlap = 0.0});
  gathered all;
  auto blender = *tile_blender::make(grid, {}, all.sink());
  const auto message = [&](std::size_t tile, const tensor_type& type) {
    const auto added = blender.add(tile, *tensor::allocate(type));
    REQUIRE(!added);
    CHECK(added.error().code() == errc::invalid_argument);
    return added.error().message();
  };
  CHECK(message(4, {dtype::f32, {1, 10, 10}}) == "there is no tile 4; there are 4");
  CHECK(message(2, {dtype::f32, {1, 10, 9}}) ==
        "tile 2 gave float32[1,10,9], expected [...,10,10]");
  REQUIRE(blender.add(1, *tensor::allocate({dtype::f32, {1, 10, 10}})));
  CHECK(message(3, {dtype::f16, {1, 10, 10}}) ==
        "tile 3 gave float16[1,10,10], others float32[1,10,10]");
  CHECK(blender.held() == 1);
  blend_options options;
  options.reduction = blend_reduction::argmax;
  auto classes = *tile_blender::make(grid, options, all.sink());
  CHECK(classes.add(0, *tensor::allocate({dtype::f32, {10, 10}})).error().message() ==
        "tile 0 gave float32[10,10], which has no channels to choose from");
}

TEST_CASE("an error of who takes the rows ends the blending") {
  const auto grid = *overlap_grid::make(8, 8, {.height = 8, .width = 8});
  auto blender = *tile_blender::make(grid, {}, [](std::int64_t, const tensor&) -> result<void> {
    return error(errc::resource_exhausted, "the disk is full");
  });
  CHECK(blender.add(0, *tensor::allocate({dtype::f32, {8, 8}})).error().message() ==
        "the disk is full");
}

TEST_CASE("scales and weights that do not fit the grid are refused in words") {
  const auto grid = *overlap_grid::make(20, 20, {.height = 10, .width = 10, .overlap = 0.3});
  const auto message = [&](const blend_options& options) {
    const auto made = tile_blender::make(grid, options, {});
    REQUIRE(!made);
    CHECK(made.error().code() == errc::invalid_argument);
    return made.error().message();
  };
  CHECK(message({.scale = {1, 4}}) ==
        "tiles of 10 elements do not begin and end at whole elements of an output of 1/4 the size: "
        "the grid needs a divisor that 4 divides");
  CHECK(message({.scale = {0, 1}}) == "an output has 0/1 elements for one of the image");
  auto map = *tensor::allocate({dtype::f32, {10, 10}});
  std::ranges::fill(map.mutable_values<float>(), 0.f);
  CHECK(message({.weights = map}) == "all of the map of weights is zero");
  map.mutable_values<float>()[3] = -1;
  CHECK(message({.weights = map}) == "element 3 of the map of weights is -1");
  CHECK(message({.weights = *tensor::allocate({dtype::f32, {10, 9}})}) ==
        "expected a floating-point map of weights [10,10] as tiles of this output are, got "
        "float32[10,9]");
}
