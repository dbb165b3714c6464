#include "runtime/schedule/scheduler_core.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

const instant start = instant(1000s);

incarnation node(std::uint64_t id) {
  return {0, id};
}

/// Stages with one replica per listed node.
stage_replicas on_nodes(const std::vector<std::vector<std::uint64_t>>& stages,
                        double seconds = 0.1) {
  stage_replicas plan;
  for (const auto& nodes : stages) {
    plan.emplace_back();
    for (const auto id : nodes) plan.back().push_back({{node(id), 0}, {seconds, 0}});
  }
  return plan;
}

scheduler_core scheduler(const std::vector<std::vector<std::uint64_t>>& stages) {
  scheduler_core core(1);
  REQUIRE(core.set_plan("m", 1, on_nodes(stages)));
  return core;
}

schedule_request request(std::uint64_t id, std::uint32_t parts = 1, time_span deadline = 60s) {
  return {id, parts, "m", 0, start + deadline, 0};
}

attempt_report failed(attempt_outcome outcome = attempt_outcome::failed) {
  return {outcome, error(errc::unavailable, "link broke"), {}};
}

/// The next route, letting the delays of retries pass.
assignment next(scheduler_core& core, instant& now) {
  for (int i = 0; i < 100; ++i, now += 10ms)
    if (auto route = core.next_route(now)) return *route;
  FAIL("no route");
  return {};
}

} // namespace

TEST_CASE("a part is routed, ends with its first result, and its credits are free again") {
  auto core = scheduler({{1}, {2}});
  const auto ticket = core.submit(request(7), start);
  REQUIRE(ticket);
  CHECK(ticket->predicted_finish == start + 200ms);
  const auto route = core.next_route(start);
  REQUIRE(route);
  CHECK(route->key == task_key{{7, 0}, 1});
  CHECK(route->attempt == 1);
  CHECK(route->route == std::vector<std::size_t>{0, 0});
  CHECK(core.executors().total_in_flight() == 2);
  CHECK_FALSE(core.next_route(start));
  CHECK(core.completed(route->key, 1, {}, start + 1s).verdict == report_verdict::finished);
  CHECK(core.open_parts() == 0);
  CHECK(core.executors().total_in_flight() == 0);
  CHECK(core.completed(route->key, 1, {}, start + 1s).verdict == report_verdict::duplicate);
}

TEST_CASE("a request is admitted with all its parts or not at all") {
  scheduler_options options;
  options.queue.capacity = 4;
  scheduler_core core(1, options);
  REQUIRE(core.set_plan("m", 1, on_nodes({{1}})));
  REQUIRE(core.submit(request(1, 3), start));
  const auto full = core.submit(request(2, 2), start);
  REQUIRE(!full);
  CHECK(full.error().code() == errc::resource_exhausted);
  CHECK(core.retry_after() > 0ms);
  CHECK(core.open_parts() == 3);
  CHECK(core.submit(request(3, 1), start));
  CHECK(core.retry_after() == 0ms);
}

TEST_CASE("what cannot be served is refused with the kind of the reason") {
  auto core = scheduler({{1}});
  const auto code = [&](const schedule_request& one) {
    return core.submit(one, start).error().code();
  };
  auto other = request(1);
  other.model = "unknown";
  CHECK(code(other) == errc::not_found);
  CHECK(code(request(1, 0)) == errc::invalid_argument);
  CHECK(code(request(1, 1, 2h)) == errc::invalid_argument);
  CHECK(code(request(1, 1, 50ms)) == errc::deadline_exceeded);
  CHECK(core.retry_after() == 50ms);
  CHECK(code(request(1, 1, 0s)) == errc::deadline_exceeded);
  REQUIRE(core.submit(request(1), start));
  CHECK(code(request(1)) == errc::invalid_argument); // in use
  CHECK(core.open_parts() == 1);
}

TEST_CASE("a failed part is tried three times on executors it has not tried, then fails") {
  auto core = scheduler({{1, 2, 3}});
  REQUIRE(core.submit(request(1), start));
  auto now = start;
  std::vector<std::size_t> tried;
  for (std::uint32_t attempt = 1; attempt <= 3; ++attempt) {
    const auto route = next(core, now);
    CHECK(route.attempt == attempt);
    tried.push_back(route.route[0]);
    const auto answer = core.completed(route.key, attempt, failed(), now);
    CHECK(answer.verdict == (attempt < 3 ? report_verdict::retrying : report_verdict::failed));
    if (attempt == 3) {
      CHECK(answer.failure->code() == errc::unavailable);
      CHECK(answer.failure->message() ==
            "request 1 part 0: link broke (after 3 attempts, no more allowed)");
    }
  }
  std::sort(tried.begin(), tried.end());
  CHECK(tried == std::vector<std::size_t>{0, 1, 2});
  CHECK(core.executors().total_in_flight() == 0);
}

TEST_CASE("a wrong input is not tried again") {
  auto core = scheduler({{1}});
  REQUIRE(core.submit(request(1), start));
  const auto route = core.next_route(start);
  const auto answer = core.completed(
      route->key, 1, {attempt_outcome::refused, error(errc::invalid_argument, "rank"), {}}, start);
  CHECK(answer.verdict == report_verdict::failed);
  CHECK(answer.failure->code() == errc::invalid_argument);
  CHECK(core.open_parts() == 0);
}

TEST_CASE("retries stay within their budget") {
  scheduler_options options;
  options.retry.budget_reserve = 2;
  scheduler_core core(1, options);
  REQUIRE(core.set_plan("m", 1, on_nodes({{1}})));
  auto now = start;
  int retried = 0;
  for (std::uint64_t id = 1; id <= 100; ++id) {
    REQUIRE(core.submit(request(id), start));
    for (;;) {
      const auto route = next(core, now);
      const auto answer = core.completed(route.key, route.attempt, failed(), now);
      if (answer.verdict == report_verdict::failed) break;
      ++retried;
    }
  }
  CHECK(retried <= 12); // 2 + 10 % of 100
  CHECK(retried >= 11);
}

TEST_CASE("the parts of a lost node are tried elsewhere and its late results are stale") {
  auto core = scheduler({{1, 2}});
  REQUIRE(core.submit(request(1), start));
  auto now = start;
  const auto first = next(core, now);
  REQUIRE(first.route[0] == 0);
  const auto after = core.node_lost(node(1), now);
  CHECK(after.retrying == std::vector<part_id>{{1, 0}});
  CHECK(after.ended.empty());
  CHECK(core.node_lost(node(1), now).retrying.empty());
  core.set_node_open(node(1), true); // too late for that
  const auto second = next(core, now);
  CHECK(second.attempt == 2);
  CHECK(second.route[0] == 1);
  const auto late = core.completed(first.key, 1, {}, now);
  CHECK(late.verdict == report_verdict::stale);
  CHECK(late.failure->code() == errc::stale);
  CHECK(core.completed(second.key, 2, {}, now).verdict == report_verdict::finished);
}

TEST_CASE("a part that cost two executors their life is poisoned") {
  auto core = scheduler({{1, 2, 3}});
  REQUIRE(core.submit(request(1), start));
  auto now = start;
  const auto first = next(core, now);
  CHECK(core.node_lost(node(1 + first.route[0]), now).ended.empty());
  const auto second = next(core, now);
  const auto after = core.node_lost(node(1 + second.route[0]), now);
  REQUIRE(after.ended.size() == 1);
  CHECK(after.ended[0].failure->code() == errc::poisoned);
  CHECK(core.open_parts() == 0);
}

TEST_CASE("a lost node is not charged to a part that was on another one") {
  auto core = scheduler({{1, 2, 3}, {4}});
  REQUIRE(core.submit(request(1), start));
  auto now = start;
  for (int i = 0; i < 2; ++i) {
    const auto route = next(core, now);
    core.reached(route.key, route.attempt, 1);
    CHECK(core.node_lost(node(1 + route.route[0]), now).ended.empty());
  }
  const auto route = next(core, now);
  CHECK(core.completed(route.key, route.attempt, {}, now).verdict == report_verdict::finished);
}

TEST_CASE("a suspect node gets no new work, but its results count") {
  auto core = scheduler({{1, 2}});
  REQUIRE(core.submit(request(1), start));
  REQUIRE(core.submit(request(2), start));
  auto now = start;
  const auto first = next(core, now);
  REQUIRE(first.route[0] == 0);
  core.set_node_open(node(1), false);
  CHECK(next(core, now).route[0] == 1);
  CHECK(core.completed(first.key, 1, {}, now).verdict == report_verdict::finished);
}

TEST_CASE("a new plan takes new parts while the old one drains; retired epochs are fenced") {
  auto core = scheduler({{1}});
  REQUIRE(core.submit(request(1), start));
  REQUIRE(core.submit(request(2), start));
  auto now = start;
  const auto first = next(core, now);
  const auto second = next(core, now);
  REQUIRE(core.submit(request(3), start));
  CHECK(core.set_plan("m", 1, on_nodes({{2}})).error().code() == errc::invalid_argument);
  REQUIRE(core.set_plan("m", 2, on_nodes({{2}, {3}})));
  CHECK_FALSE(core.drained("m", 1));
  const auto third = next(core, now);
  CHECK(third.key.epoch == 2);
  CHECK(third.route.size() == 2);
  CHECK(core.completed(first.key, 1, {}, now).verdict == report_verdict::finished);
  const auto after = core.retire("m", 1, now);
  CHECK(after.retrying == std::vector<part_id>{{2, 0}});
  CHECK(core.drained("m", 1));
  CHECK(core.completed(second.key, 1, {}, now).verdict == report_verdict::stale);
  const auto again = next(core, now);
  CHECK(again.key == task_key{{2, 0}, 2});
  CHECK(core.completed(task_key{{2, 0}, 1}, 2, {}, now).verdict == report_verdict::stale);
  CHECK(core.completed(again.key, 2, {}, now).verdict == report_verdict::finished);
}

TEST_CASE("an attempt that does not report is tried elsewhere, and whichever comes first counts") {
  for (const bool first_wins : {true, false}) {
    CAPTURE(first_wins);
    auto core = scheduler({{1, 2}});
    REQUIRE(core.submit(request(1), start));
    auto now = start;
    const auto first = next(core, now);
    now += 3s;
    CHECK(core.expire(now).retrying == std::vector<part_id>{{1, 0}});
    CHECK(core.executors().total_in_flight() == 0);
    const auto second = next(core, now);
    CHECK(second.route != first.route);
    const auto& winner = first_wins ? first : second;
    const auto& loser = first_wins ? second : first;
    CHECK(core.completed(winner.key, winner.attempt, {}, now).verdict == report_verdict::finished);
    CHECK(core.completed(loser.key, loser.attempt, {}, now).verdict == report_verdict::duplicate);
    CHECK(core.executors().total_in_flight() == 0);
  }
}

TEST_CASE("the deadline ends a part wherever it is, and says where that was") {
  auto core = scheduler({{1}});
  for (std::uint64_t id = 1; id <= 3; ++id) REQUIRE(core.submit(request(id, 1, 2s), start));
  auto now = start;
  const auto first = next(core, now);
  core.reached(first.key, 1, 0);
  next(core, now);
  CHECK(core.next_wakeup() == start + 2s);
  CHECK_FALSE(core.next_route(start + 2s)); // finds them late, and does not start the third
  const auto after = core.expire(start + 2s);
  REQUIRE(after.ended.size() == 3);
  for (const auto& one : after.ended) CHECK(one.failure->code() == errc::deadline_exceeded);
  CHECK(after.ended[0].failure->message() ==
        "request 1 part 0 (model m): its deadline came in attempt 1, in stage 1 on node "
        "00000000000000000000000000000001");
  CHECK(after.ended[2].failure->message() ==
        "request 3 part 0 (model m): its deadline came while it waited for an executor");
  CHECK(core.executors().total_in_flight() == 0);
  CHECK(core.completed(first.key, 1, {}, start + 3s).verdict == report_verdict::duplicate);
}

TEST_CASE("a withdrawn request and a removed model end their parts once") {
  auto core = scheduler({{1}});
  REQUIRE(core.submit(request(1, 4), start));
  REQUIRE(core.submit(request(2, 2), start));
  auto now = start;
  next(core, now);
  const auto after = core.cancel(1, now);
  CHECK(after.ended.size() == 4);
  for (const auto& one : after.ended) CHECK(one.failure->code() == errc::cancelled);
  CHECK(core.cancel(1, now).ended.empty());
  CHECK(core.remove_model("m", now).ended.size() == 2);
  CHECK(core.open_parts() == 0);
  CHECK(core.executors().total_in_flight() == 0);
}

TEST_CASE("ended parts are forgotten once no duplicate can come") {
  auto core = scheduler({{1}});
  REQUIRE(core.submit(request(1, 1, 10s), start));
  auto now = start;
  const auto route = next(core, now);
  core.completed(route.key, 1, {}, now);
  core.expire(start + 10s);
  CHECK(core.remembered_parts() == 1);
  core.expire(start + 15s);
  CHECK(core.remembered_parts() == 0);
  CHECK(core.completed(route.key, 1, {}, start + 15s).verdict == report_verdict::stale);
}

TEST_CASE("the delay of a retry is jittered in full and capped") {
  std::mt19937_64 random(3);
  const retry_options options;
  time_span most{};
  time_span least = 1h;
  for (int i = 0; i < 1000; ++i) {
    const auto delay = retry_delay(options, 2, random);
    most = std::max(most, delay);
    least = std::min(least, delay);
    CHECK(retry_delay(options, 60, random) <= options.max_delay);
  }
  CHECK(least < 4ms);
  CHECK(most > 36ms);
  CHECK(most < 40ms);
}
