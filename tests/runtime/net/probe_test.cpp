#include "runtime/net/probe.hpp"
#include "tests/support/raw_peer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

TEST_CASE("a probe finds a listening port, by address and by name") {
  raw_listener listener;
  CHECK(probe("127.0.0.1", listener.port(), 10s));
  CHECK(probe("localhost", listener.port(), 10s));
}

TEST_CASE("a probe of a closed port says that it was refused, and by whom") {
  std::uint16_t port = 0;
  { port = raw_listener().port(); }
  const auto outcome = probe("127.0.0.1", port, 10s);
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::unavailable);
  CHECK(outcome.error().message() == "127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_CASE("a probe of a host that does not exist fails before or at its timeout") {
  const auto outcome = probe("no-such-host.invalid", 80, 2s);
  REQUIRE(!outcome);
  CHECK(outcome.error().message().find("no-such-host.invalid:80: ") == 0);
}

TEST_CASE("a probe without time reports that it timed out") {
  const auto outcome = probe("no-such-host.invalid", 80, 0ms);
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::deadline_exceeded);
  CHECK(outcome.error().message() ==
        "no-such-host.invalid:80: timed out after 0 ms, looking up the name");
}
