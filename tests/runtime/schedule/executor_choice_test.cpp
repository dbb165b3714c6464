#include "runtime/schedule/executor_choice.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

const instant now = instant(1000s);

executor_id executor(std::uint64_t node) {
  return {{0, node}, 0};
}

/// One stage with replicas that take these many seconds.
stage_replicas one_stage(std::initializer_list<double> seconds) {
  stage_replicas stages(1);
  for (const double s : seconds) stages[0].push_back({executor(stages[0].size()), {s, 0}});
  return stages;
}

std::optional<std::size_t> pick(const executor_choice& choice, const stage_replicas& stages,
                                std::size_t waiting = 0, instant when = now) {
  const auto route = choice.choose(1, 0, stages, waiting, {}, when);
  return route ? std::optional(route->replicas[0]) : std::nullopt;
}

void take(executor_choice& choice, std::uint64_t node, int times, instant due) {
  const std::array one{executor(node)};
  for (int i = 0; i < times; ++i) choice.acquire(one, due);
}

} // namespace

TEST_CASE("credits cover the round trip and are at least two") {
  CHECK(credits_for(0, 1) == 2);
  CHECK(credits_for(0.5, 1) == 2);
  for (const double jitter : {0.9, 1.0, 1.1})
    CHECK(credits_for(jitter, 1) == 3); // two equal stages
  CHECK(credits_for(4.0, 1) == 6);
  CHECK(credits_for(4.1, 1) == 7);
  CHECK(credits_for(1, 0) == 2);
  CHECK(credits_for(1e9, 1e-9) == 64);
}

TEST_CASE("the replica that finishes first is chosen, its queue included") {
  executor_choice choice;
  const auto stages = one_stage({1.0, 1.5});
  CHECK(pick(choice, stages) == 0);
  take(choice, 0, 1, now + 1h);
  CHECK(pick(choice, stages) == 1); // 2 · 1.0 against 1 · 1.5
}

TEST_CASE("transfer counts") {
  executor_choice choice;
  stage_replicas stages(1);
  stages[0] = {{executor(0), {1.0, 2.0}}, {executor(1), {2.0, 0.5}}};
  CHECK(pick(choice, stages) == 1);
}

TEST_CASE("a slow executor is skipped while waiting for the fast one is sooner") {
  executor_choice choice;
  const auto stages = one_stage({1.0, 8.0});
  take(choice, 0, 2, now + 1h); // no credit left
  CHECK(pick(choice, stages, 0) == std::nullopt);
  CHECK(pick(choice, stages, 2) == std::nullopt);
  CHECK(pick(choice, stages, 3) == 1); // 3 s and twice 3 s behind the fast one, 8 s on the slow one
}

TEST_CASE("an executor that stalls loses its parts to a slower one") {
  executor_choice choice;
  const auto stages = one_stage({1.0, 8.0});
  take(choice, 0, 1, now);
  CHECK(pick(choice, stages) == 0);
  CHECK(pick(choice, stages, 0, now + 7s) == 1);
}

TEST_CASE("a closed node gets nothing, and a stage without an open one has no route") {
  executor_choice choice;
  const auto stages = one_stage({1.0, 8.0});
  choice.set_open(executor(0).node, false);
  CHECK(pick(choice, stages) == 1);
  choice.set_open(executor(1).node, false);
  CHECK(pick(choice, stages) == std::nullopt);
  CHECK_FALSE(choice.pace(1, 0, stages));
  choice.set_open(executor(0).node, true);
  CHECK(pick(choice, stages) == 0);
}

TEST_CASE("executors of a failed attempt are avoided while there are others") {
  executor_choice choice;
  const auto stages = one_stage({1.0, 8.0});
  const std::array failed{executor(0)};
  CHECK(choice.choose(1, 0, stages, 0, failed, now)->replicas[0] == 1);
  const std::array both{executor(0), executor(1)};
  CHECK(choice.choose(1, 0, stages, 0, both, now)->replicas[0] == 0);
}

TEST_CASE("a pipeline has credits enough to keep all its stages at work") {
  executor_choice choice;
  stage_replicas stages;
  for (std::uint64_t s = 0; s < 5; ++s) stages.push_back({{executor(s), {1.0, 0.1}}});
  int in_flight = 0;
  while (const auto route = choice.choose(1, 0, stages, 0, {}, now)) {
    for (std::uint64_t s = 0; s < 5; ++s) take(choice, s, 1, now + 1h);
    REQUIRE(++in_flight < 100);
  }
  CHECK(in_flight >= 6);
  CHECK(in_flight <= 8);
  const auto pace = choice.pace(1, 0, stages);
  REQUIRE(pace);
  CHECK(pace->latency_s == doctest::Approx(5.5));
  CHECK(pace->interval_s == doctest::Approx(1.0));
}

TEST_CASE("an executor that hosts every stage of a model still finds a route") {
  executor_choice choice;
  stage_replicas stages(4, {{executor(0), {1.0, 0}}});
  CHECK(choice.choose(1, 0, stages, 0, {}, now));
}

TEST_CASE("observations replace what was planned, per shape, and are forgotten with their model") {
  service_estimates estimates;
  const work_class small{1, 0, 10};
  const work_class large{1, 0, 20};
  CHECK(estimates.estimate(small, executor(0), {5, 1}).compute_s == 5);
  estimates.observe(small, executor(0), {1, 0});
  estimates.observe(large, executor(0), {9, 0});
  CHECK(estimates.estimate(small, executor(0), {5, 1}).compute_s == 1);
  CHECK(estimates.estimate({1, 0, 30}, executor(0), {5, 1}).compute_s == 9); // the latest
  CHECK(estimates.estimate({1, 1, 10}, executor(0), {5, 1}).compute_s == 5); // another stage
  for (int i = 0; i < 60; ++i) estimates.observe(small, executor(0), {2, 0});
  CHECK(estimates.estimate(small, executor(0), {}).compute_s == doctest::Approx(2).epsilon(1e-3));
  estimates.forget_model(1);
  CHECK(estimates.size() == 0);
}

TEST_CASE("any number of shapes takes bounded memory") {
  service_estimates estimates(16);
  for (std::uint64_t shape = 0; shape < 1000; ++shape)
    estimates.observe({1, 0, shape}, executor(0), {static_cast<double>(shape), 0});
  CHECK(estimates.size() == 16);
  CHECK(estimates.estimate({1, 0, 999}, executor(0), {}).compute_s == 999);
}
