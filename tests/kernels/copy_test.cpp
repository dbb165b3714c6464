#include "kernels/cpu/copy.hpp"
#include "kernels/reference/copy.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <vector>

using namespace shoal;

namespace {

/// A random copy: axes in a random order, some repeated, some walked backwards, some sparse.
struct random_copy {
  explicit random_copy(unsigned seed) {
    std::mt19937 random(seed);
    const auto draw = [&](int low, int high) {
      return std::uniform_int_distribution<int>(low, high)(random);
    };
    const int rank = draw(1, 5);
    std::vector<std::int64_t> extents, from_strides(static_cast<std::size_t>(rank));
    for (int i = 0; i < rank; ++i) extents.push_back(draw(0, 9) == 0 ? 1 : draw(2, 40 / rank + 9));
    std::vector<std::size_t> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random);
    std::int64_t step = 1;
    for (const auto axis : order) { // the source lies in another order than the target
      const int kind = draw(0, 9);
      from_strides[axis] = kind == 0 ? 0 : kind == 1 ? -step : kind == 2 ? 2 * step : step;
      if (kind == 1) from_offset += step * (extents[axis] - 1);
      step *= extents[axis] * (kind == 2 ? 2 : 1);
    }
    source_size = step;
    std::int64_t to_step = 1;
    std::vector<std::int64_t> to_strides(static_cast<std::size_t>(rank));
    for (auto i = static_cast<std::size_t>(rank); i-- > 0;) {
      to_strides[i] = to_step;
      to_step *= extents[i];
    }
    target_size = to_step;
    for (std::size_t i = 0; i < extents.size(); ++i)
      nest.push(extents[i], {from_strides[i], to_strides[i]});
  }

  loop_nest nest = loop_nest(2);
  std::int64_t from_offset = 0, source_size = 0, target_size = 0;
};

template <class T>
void check_copies(unsigned seed) {
  const random_copy test(seed);
  std::vector<T> from(static_cast<std::size_t>(test.source_size));
  std::iota(from.begin(), from.end(), T{1});
  std::vector<T> expected(static_cast<std::size_t>(test.target_size)), got(expected.size());
  reference::copy(sizeof(T), test.nest, from.data() + test.from_offset, expected.data());
  auto merged = test.nest;
  merged.merge();
  kernels::copy(sizeof(T), merged, from.data() + test.from_offset, got.data());
  CAPTURE(seed);
  CAPTURE(sizeof(T));
  CHECK(got == expected);
}

} // namespace

TEST_CASE("the fast copy moves what the plain one moves") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    check_copies<std::uint32_t>(seed);
    check_copies<std::uint64_t>(seed + 1000);
    check_copies<std::uint16_t>(seed + 2000);
    check_copies<std::uint8_t>(seed + 3000);
  }
}

TEST_CASE("merging loops keeps the order of the iterations and fuses what is contiguous") {
  loop_nest nest(2);
  nest.push(2, {60, 60});
  nest.push(1, {7, 9});
  nest.push(3, {20, 20});
  nest.push(4, {5, 5});
  nest.push(5, {1, 1});
  nest.merge();
  CHECK(nest.depth() == 1);
  CHECK(nest.extent(0) == 120);
  CHECK(nest.stride(0, 0) == 1);

  loop_nest transposed(2);
  transposed.push(3, {1, 4});
  transposed.push(4, {3, 1});
  transposed.merge();
  CHECK(transposed.depth() == 2);
  loop_position at(transposed, 2, 5);
  CHECK(at[0] == 4);
  CHECK(at[1] == 5);
  at.next();
  CHECK(at[0] == 7);
}
