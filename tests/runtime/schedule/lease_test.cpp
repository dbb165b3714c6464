#include "runtime/schedule/lease_holder.hpp"
#include "runtime/schedule/phi_accrual.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

const instant start = instant(1000s);

} // namespace

TEST_CASE("a holder fences itself two seconds after the last confirmed renewal was sent") {
  lease_holder holder(start);
  CHECK_FALSE(holder.fenced(start + 1999ms));
  CHECK(holder.confirm(start + 1500ms, start + 1900ms));
  CHECK(holder.fences_at() == start + 3500ms); // not from when the answer came
  CHECK_FALSE(holder.fenced(start + 3499ms));
  CHECK(holder.fenced(start + 3500ms));
}

TEST_CASE("a confirmation that comes too late does not lift the fence") {
  lease_holder holder(start);
  CHECK_FALSE(holder.confirm(start + 1s, start + 2s));
  CHECK(holder.fenced(start + 2s));
  CHECK_FALSE(holder.confirm(start + 2s, start + 2s));
  CHECK(holder.fenced(start + 2s));
}

TEST_CASE("confirmations out of order never shorten a lease, and a refusal ends it") {
  lease_holder holder(start);
  CHECK(holder.confirm(start + 1s, start + 1100ms));
  CHECK(holder.confirm(start + 500ms, start + 1200ms));
  CHECK(holder.fences_at() == start + 3s);
  holder.revoke();
  CHECK(holder.fenced(start + 1200ms));
}

TEST_CASE("phi suspects a silence the intervals do not explain") {
  phi_accrual detector;
  auto now = start;
  for (int i = 0; i < 7; ++i) detector.heartbeat(now += 250ms);
  CHECK(detector.phi(now + 1h) == 0); // too few to tell
  for (int i = 0; i < 300; ++i) detector.heartbeat(now += 250ms);
  CHECK(detector.samples() == 200);
  CHECK(detector.phi(now + 250ms) == doctest::Approx(0.301).epsilon(0.01)); // an even chance
  CHECK_FALSE(detector.suspicious(now + 700ms));
  CHECK(detector.suspicious(now + 900ms)); // σ = 100 ms: 5.6 σ beyond 250 ms
  CHECK(detector.phi(now + 1h) == 300);
}

TEST_CASE("phi gives a jittery peer more time") {
  std::mt19937_64 random(5);
  phi_accrual steady;
  phi_accrual jittery;
  auto a = start;
  auto b = start;
  for (int i = 0; i < 200; ++i) {
    steady.heartbeat(a += 250ms);
    jittery.heartbeat(b += std::chrono::milliseconds(random() % 1000));
  }
  CHECK(steady.suspicious(a + 1200ms));
  CHECK_FALSE(jittery.suspicious(b + 1200ms));
}
