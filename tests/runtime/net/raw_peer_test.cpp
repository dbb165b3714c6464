#include "tests/support/raw_peer.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("two raw peers greet each other") {
  raw_listener listener;
  raw_peer one(listener.port());
  auto other = listener.accept();
  one.send(encode(polite_hello({1, 2})));
  const auto greeting = other.receive_hello();
  REQUIRE(greeting);
  CHECK(greeting->id == incarnation{1, 2});
  one.close();
  CHECK(other.sees_end());
}
