#include "runtime/net/discovery.hpp"
#include "runtime/net/frame.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

discovery_options on_loopback(const std::string& cluster) {
  discovery_options options;
  options.cluster = cluster;
  options.interface_address = "127.0.0.1";
  options.port = 47871;
  return options;
}

head_announcement some_head(std::uint64_t id) {
  return {{1, id}, "10.1.2.3", static_cast<std::uint16_t>(4000 + id), "shoal 9.9", 0};
}

} // namespace

TEST_CASE("a node finds every head of its cluster, and no other") {
  auto first = discovery_responder::open(on_loopback("reef"), some_head(1));
  auto second = discovery_responder::open(on_loopback("reef"), some_head(2));
  auto stranger = discovery_responder::open(on_loopback("desert"), some_head(3));
  REQUIRE(first);
  REQUIRE(second);
  REQUIRE(stranger);
  const auto found = discover(on_loopback("reef"), 10s, 2, 50ms);
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  for (std::uint64_t i = 0; i < 2; ++i) {
    auto expected = some_head(i + 1);
    expected.protocol = link_protocol_version;
    CHECK((*found)[i] == expected);
  }
}

TEST_CASE("a node that finds no head returns an empty list when its time is over") {
  const auto found = discover(on_loopback("nobody"), 100ms);
  REQUIRE(found);
  CHECK(found->empty());
}

TEST_CASE("discovery refuses addresses that are none") {
  auto options = on_loopback("reef");
  options.group = "10.0.0.1";
  const auto found = discover(options, 10ms);
  REQUIRE(!found);
  CHECK(found.error().code() == errc::invalid_argument);
  options = on_loopback("reef");
  options.interface_address = "eth0";
  CHECK(!discovery_responder::open(options, some_head(1)));
}

TEST_CASE("a damaged or truncated discovery datagram is never taken for a good one") {
  const std::uint64_t seed = 99;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  discovery_datagram answer{77, "reef", 3, some_head(5)};
  const auto bytes = encode(answer);
  const auto good = decode_discovery_datagram(bytes);
  REQUIRE(good);
  CHECK(good->nonce == 77);
  CHECK(good->head->host == "10.1.2.3");
  CHECK(good->head->protocol == 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= static_cast<std::byte>(1 + random() % 255);
    CHECK_FALSE(decode_discovery_datagram(damaged));
    CHECK_FALSE(decode_discovery_datagram(byte_span(bytes).first(i)));
  }
  const auto query = encode(discovery_datagram{77, "reef", 3, {}});
  CHECK(query.size() >= bytes.size());
  CHECK(decode_discovery_datagram(query));
  CHECK_FALSE(decode_discovery_datagram(byte_span(query).first(200)));
}
