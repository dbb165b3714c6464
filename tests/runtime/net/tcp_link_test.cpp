#include "tests/runtime/net/link_fixture.hpp"

#include <map>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("two links exchange thousands of random messages in both directions, bit for bit") {
  const std::uint64_t seed = 20240607;
  CAPTURE(seed);
  watched_link a;
  watched_link b;
  constexpr int count = 2000;
  std::map<std::uint16_t, message> expected[2];
  for (int side = 0; side < 2; ++side) {
    std::mt19937_64 random(seed + static_cast<std::uint64_t>(side));
    for (int i = 0; i < count; ++i) {
      // most are small, a few have megabytes
      const std::size_t most = std::size_t{1} << (i % 100 == 0 ? 23 : random() % 17);
      auto content = random_message(random, most);
      content.kind = static_cast<std::uint16_t>(i); // they may overtake each other
      expected[side].emplace(content.kind, content);
      (side == 0 ? a : b).send((side == 0 ? b : a).address(), std::move(content));
    }
  }
  for (int side = 0; side < 2; ++side) {
    auto& receiver = side == 0 ? b : a;
    auto& sender = side == 0 ? a : b;
    for (int i = 0; i < count; ++i) {
      const auto got = receiver.receive();
      CHECK(got.from == sender.address().id);
      const auto wanted = expected[side].find(got.content.kind);
      REQUIRE(wanted != expected[side].end());
      CHECK(identical(got.content, wanted->second));
      expected[side].erase(wanted);
      CHECK(sender.outcome());
    }
    CHECK(expected[side].empty());
  }
  CHECK(a->stats().peers.size() == 1);
  CHECK(a->stats().total.messages_received == count);
}
