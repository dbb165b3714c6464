#include "runtime/net/crc32c.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using namespace shoal;

TEST_CASE("every CRC-32C variant gives the published check values") {
  std::vector<std::byte> zeros(32);
  std::vector<std::byte> ones(32, std::byte{0xff});
  std::vector<std::byte> rising(32);
  for (std::size_t i = 0; i < 32; ++i) rising[i] = static_cast<std::byte>(i);
  for (const auto& variant : crc32c_variants()) {
    CAPTURE(variant.name);
    const auto of = [&](byte_span bytes) { return variant.extend(0, bytes.data(), bytes.size()); };
    CHECK(of(bytes_of("123456789")) == 0xe3069283);
    CHECK(of(zeros) == 0x8a9136aa); // these three: RFC 3720, B.4
    CHECK(of(ones) == 0x62a8ab43);
    CHECK(of(rising) == 0x46dd794e);
    CHECK(of({}) == 0);
  }
}

TEST_CASE("all CRC-32C variants agree for any length, alignment and start, in one piece or two") {
  const std::uint64_t seed = 4711;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::vector<std::byte> data(200'000);
  for (auto& byte : data) byte = static_cast<std::byte>(random());
  const auto& reference = crc32c_variants().back();
  for (int i = 0; i < 600; ++i) {
    const std::size_t size = random() % (std::size_t{1} << (random() % 18));
    const std::size_t offset = random() % 64;
    const auto start = static_cast<std::uint32_t>(random());
    const auto* from = data.data() + offset;
    const auto expected = reference.extend(start, from, size);
    const std::size_t split = random() % (size + 1);
    for (const auto& variant : crc32c_variants()) {
      CAPTURE(variant.name);
      CAPTURE(size);
      CHECK(variant.extend(start, from, size) == expected);
      const auto first = variant.extend(start, from, split);
      CHECK(variant.extend(first, from + split, size - split) == expected);
    }
  }
}
