#include "runtime/schedule/admission.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

const instant now = instant(1000s);

} // namespace

TEST_CASE("what would be late is refused at once, with by how much") {
  const route_load load{9, 1, 1, 0.1, 0.1};
  CHECK(predicted_seconds(load, 1) == doctest::Approx(1.1));
  CHECK(admit(load, 1, now + 1200ms, now).verdict);
  const auto refused = admit(load, 1, now + 1s, now);
  REQUIRE(!refused.verdict);
  CHECK(refused.verdict.error().code() == errc::deadline_exceeded);
  CHECK(refused.retry_after >= 99ms);
  CHECK(refused.retry_after <= 101ms);
}

TEST_CASE("parts in flight count only beyond what the pipeline overlaps") {
  route_load load{0, 4, 5, 0.5, 0.1};
  CHECK(predicted_seconds(load, 1) == doctest::Approx(0.5));
  load.in_flight = 6;
  CHECK(predicted_seconds(load, 1) == doctest::Approx(0.7));
  CHECK(predicted_seconds(load, 11) == doctest::Approx(1.7)); // a batch: Σt + (B − 1) · max t
}

TEST_CASE("without an estimate everything that is not late already is admitted") {
  CHECK(admit({}, 1000, now + 1ms, now).verdict);
  const auto late = admit({}, 1, now - 5ms, now);
  REQUIRE(!late.verdict);
  CHECK(late.verdict.error().message() == "the deadline passed 5 ms ago");
}
