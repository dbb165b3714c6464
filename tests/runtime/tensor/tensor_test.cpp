#include "runtime/tensor/tensor.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

using namespace shoal;

TEST_CASE("a shape from outside is checked for negative extents and overflow") {
  CHECK(*checked_element_count(std::array<std::int64_t, 3>{2, 3, 4}) == 24);
  CHECK(*checked_element_count({}) == 1);
  CHECK(*checked_element_count(std::array<std::int64_t, 2>{0, 1 << 30}) == 0);
  const auto negative = checked_element_count(std::array<std::int64_t, 2>{2, -1});
  REQUIRE(!negative);
  CHECK(negative.error().message() == "shape [2,-1] has the negative extent -1");
  const std::int64_t huge = std::int64_t{1} << 40;
  const auto overflow = checked_element_count(std::array<std::int64_t, 3>{huge, huge, huge});
  REQUIRE(!overflow);
  CHECK(overflow.error().code() == errc::malformed);
  CHECK(overflow.error().message().find("overflows") != std::string::npos);
}

TEST_CASE("a pool hands the same memory out again and keeps no more than its cap") {
  buffer_pool pool(4096);
  const auto* first = pool.take(1000)->data();
  CHECK(pool.idle_bytes() == 1024);
  auto again = pool.take(900);
  CHECK(again->data() == first);
  CHECK(again->size() == 900);
  { auto large = pool.take(100'000); }
  CHECK(pool.idle_bytes() == 0); // larger than the cap: freed
  CHECK(pool.used_bytes() == 1024);
}

TEST_CASE("every size gets enough aligned memory with at most a quarter wasted") {
  buffer_pool pool;
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const std::size_t size = random() % (std::size_t{1} << (random() % 24));
    const auto before = pool.used_bytes();
    const auto bytes = pool.take(size);
    const auto capacity = pool.used_bytes() - before;
    CHECK(capacity >= size);
    CHECK((size <= 256 || capacity <= size + size / 4 + 1));
    CHECK(reinterpret_cast<std::uintptr_t>(bytes->data()) % storage_alignment == 0);
  }
}

TEST_CASE("a storage outlives its pool") {
  storage_ptr survivor;
  {
    buffer_pool pool;
    survivor = pool.take(64);
  }
  survivor->data()[63] = std::byte{1};
  CHECK(survivor->data()[63] == std::byte{1});
}

TEST_CASE("tensors share bytes when copied or reshaped, and compare by bits") {
  const auto a = tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto b = a.reshaped({3, 2});
  CHECK(b.data() == a.data());
  CHECK_FALSE(identical(a, b));
  CHECK(identical(a, a.clone()));
  const auto zero = tensor::of<float>({1}, {0.0f});
  const auto minus_zero = tensor::of<float>({1}, {-0.0f});
  CHECK_FALSE(identical(zero, minus_zero));
  CHECK(to_string(a.type()) == "float32[2,3]");
}
