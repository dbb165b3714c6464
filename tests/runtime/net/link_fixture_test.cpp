#include "tests/runtime/net/link_fixture.hpp"

#include <algorithm>
#include <cstring>

namespace shoal::test {

tensor random_bytes(std::size_t bytes, std::uint64_t seed) {
  tensor values({dtype::u8, {static_cast<std::int64_t>(bytes)}}, allocate_storage(bytes));
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < bytes; i += 8) {
    const std::uint64_t word = random();
    std::memcpy(values.mutable_data() + i, &word, std::min<std::size_t>(8, bytes - i));
  }
  return values;
}

tensor random_tensor(std::mt19937_64& random, std::size_t max_bytes) {
  tensor_type type;
  type.type = static_cast<dtype>(random() % dtype_count);
  auto room = static_cast<std::int64_t>(max_bytes / size_of(type.type));
  const auto rank = static_cast<int>(random() % (shape::max_rank + 1));
  for (int i = 0; i < rank; ++i) {
    const bool last = i + 1 == rank;
    const auto most = last ? room : std::min<std::int64_t>(room, 16);
    const auto extent = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(most + 1));
    type.dims.push_back(extent);
    if (extent > 0) room /= extent;
  }
  const auto bytes = static_cast<std::size_t>(type.dims.element_count()) * size_of(type.type);
  auto content = random_bytes(bytes, random());
  if (type.type == dtype::boolean)
    for (std::size_t i = 0; i < bytes; ++i) content.mutable_data()[i] &= std::byte{1};
  const auto format = static_cast<layout>(random() % 4);
  const bool fits = check_layout(type, format).has_value();
  return tensor(type, content.bytes_owner(), 0, fits ? format : layout::plain);
}

message random_message(std::mt19937_64& random, std::size_t max_bytes) {
  message content;
  content.kind = static_cast<std::uint16_t>(random());
  content.priority = static_cast<message_priority>(random() % message_priority_count);
  content.metadata.resize(random() % (random() % 16 == 0 ? message::max_metadata_bytes + 1 : 200));
  for (auto& byte : content.metadata) byte = static_cast<std::byte>(random());
  const auto tensors = random() % 5;
  for (std::uint64_t i = 0; i < tensors; ++i)
    content.tensors.push_back(random_tensor(random, max_bytes / tensors));
  return content;
}

message numbered(std::uint16_t kind, message_priority priority, std::size_t bytes) {
  message content;
  content.kind = kind;
  content.priority = priority;
  if (bytes > 0) content.tensors.push_back(random_bytes(bytes, kind));
  return content;
}

bool identical(const message& a, const message& b) {
  return a.kind == b.kind && a.priority == b.priority && a.metadata == b.metadata &&
         std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                    [](const tensor& x, const tensor& y) { return shoal::identical(x, y); });
}

TEST_CASE("random messages follow from their seed") {
  std::mt19937_64 one(5);
  std::mt19937_64 two(5);
  for (int i = 0; i < 20; ++i)
    CHECK(identical(random_message(one, 10'000), random_message(two, 10'000)));
  CHECK_FALSE(identical(random_message(one, 10'000), random_message(one, 10'000)));
}

} // namespace shoal::test
