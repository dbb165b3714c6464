#include "runtime/schedule/request_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

instant at(time_span since_start) {
  return instant(1000s) + since_start;
}

bool always(const queued_part&) {
  return true;
}

queued_part part(std::uint64_t request, int priority, time_span deadline, time_span since = 0s,
                 std::uint64_t lane = 1) {
  return {{request, 0}, lane, priority, at(deadline), at(since)};
}

std::vector<std::uint64_t> drain(request_queue& queue) {
  std::vector<std::uint64_t> order;
  while (const auto next = queue.pop_ready(always, at(0s))) order.push_back(next->id.request);
  return order;
}

} // namespace

TEST_CASE("the queue serves by priority, then earliest deadline, then arrival") {
  request_queue queue;
  REQUIRE(queue.push(part(1, 0, 9s)));
  REQUIRE(queue.push(part(2, 0, 5s)));
  REQUIRE(queue.push(part(3, 1, 20s)));
  REQUIRE(queue.push(part(4, 0, 5s)));
  CHECK(queue.ahead_of(part(9, 0, 6s)) == 3);
  CHECK(queue.ahead_of(part(9, 2, 30s)) == 0);
  CHECK(drain(queue) == std::vector<std::uint64_t>{3, 2, 4, 1});
}

TEST_CASE("a part that waited long enough goes before newer ones of higher priority") {
  request_queue queue({.capacity = 10, .aging_period = 2s});
  REQUIRE(queue.push(part(1, 0, 60s, 0s)));
  REQUIRE(queue.push(part(2, 3, 60s, 5s)));  // two periods later, three steps higher
  REQUIRE(queue.push(part(3, 3, 60s, 10s))); // five periods later
  CHECK(drain(queue) == std::vector<std::uint64_t>{2, 1, 3});
}

TEST_CASE("nothing starves under a steady stream of higher priority") {
  request_queue queue({.capacity = 100, .aging_period = 1s});
  REQUIRE(queue.push(part(1, 0, 3600s)));
  int served_before = 0;
  for (std::uint64_t second = 0; second < 100; ++second) {
    REQUIRE(queue.push(part(10 + second, 10, 7200s, second * 1s)));
    if (queue.pop_ready(always, at(second * 1s))->id.request == 1) break;
    ++served_before;
  }
  CHECK(served_before <= 11);
}

TEST_CASE("a full queue refuses with the time to come back, but takes back what it had accepted") {
  request_queue queue({.capacity = 2});
  REQUIRE(queue.push(part(1, 0, 5s)));
  REQUIRE(queue.push(part(2, 0, 5s)));
  const auto refused = queue.push(part(3, 0, 5s));
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::resource_exhausted);
  CHECK(refused.error().message() == "the queue is full with 2 parts: try again after 10 ms");
  queue.readmit(part(4, 0, 5s));
  CHECK(queue.size() == 3);
  CHECK(queue.remove({1, 0}));
  CHECK_FALSE(queue.remove({1, 0}));
  const auto twice = queue.push(part(2, 0, 5s));
  REQUIRE(!twice);
  CHECK(twice.error().code() == errc::invalid_argument);
}

TEST_CASE("the time to come back follows the pace at which parts leave") {
  request_queue queue;
  for (std::uint64_t i = 0; i < 100; ++i) REQUIRE(queue.push(part(i, 0, 500s)));
  for (int i = 0; i < 100; ++i) queue.pop_ready(always, at(i * 200ms));
  CHECK(queue.retry_after() > 190ms);
  CHECK(queue.retry_after() <= 201ms);
}

TEST_CASE("a lane that is not ready does not hold up the others") {
  request_queue queue;
  REQUIRE(queue.push(part(1, 5, 5s, 0s, 1)));
  REQUIRE(queue.push(part(2, 5, 5s, 0s, 1)));
  REQUIRE(queue.push(part(3, 0, 5s, 0s, 2)));
  int asked = 0;
  const auto only_lane_2 = [&](const queued_part& one) { return ++asked, one.lane == 2; };
  CHECK(queue.pop_ready(only_lane_2, at(0s))->id.request == 3);
  CHECK(asked == 2); // once per lane
  CHECK_FALSE(queue.pop_ready(only_lane_2, at(0s)));
  CHECK(queue.lane_size(1) == 2);
  CHECK(queue.lane_size(2) == 0);
}

TEST_CASE("what is past its deadline leaves, earliest first") {
  request_queue queue;
  REQUIRE(queue.push(part(1, 0, 3s)));
  REQUIRE(queue.push(part(2, 0, 1s)));
  REQUIRE(queue.push(part(3, 0, 9s)));
  const auto late = queue.expire(at(3s));
  REQUIRE(late.size() == 2);
  CHECK(late[0].id.request == 2);
  CHECK(late[1].id.request == 1);
  CHECK(queue.size() == 1);
}

TEST_CASE("the order equals sorting by priority and deadline on random queues") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    request_queue queue;
    std::vector<queued_part> parts;
    for (std::uint64_t i = 0; i < 60; ++i) {
      parts.push_back(
          part(i, static_cast<int>(random() % 4), (1 + random() % 20) * 1s, 0s, 1 + random() % 3));
      REQUIRE(queue.push(parts.back()));
    }
    for (int i = 0; i < 10; ++i) {
      const auto gone = random() % parts.size();
      CHECK(queue.remove(parts[gone].id));
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(gone));
    }
    std::stable_sort(parts.begin(), parts.end(), [](const auto& a, const auto& b) {
      return a.priority != b.priority ? a.priority > b.priority : a.deadline < b.deadline;
    });
    std::vector<std::uint64_t> expected;
    for (const auto& one : parts) expected.push_back(one.id.request);
    CHECK(drain(queue) == expected);
  }
}
