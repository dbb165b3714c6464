#include "tests/support/simulated_cluster.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

tensor numbers(std::initializer_list<float> values) {
  return tensor::of<float>({static_cast<std::int64_t>(values.size())}, values);
}

/// The order and number of stages shows in the digits of the values.
bool times_ten_plus_stage(part& p, std::uint32_t stage) {
  auto copy = p.values[0].clone();
  for (auto& v : copy.mutable_values<float>()) v = v * 10 + static_cast<float>(stage);
  p.values[0] = copy;
  return true;
}

} // namespace

TEST_CASE("a request passes every stage in order and is answered once") {
  simulated_cluster cluster(3, times_ten_plus_stage);
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1, 2}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(identical(outcomes[0]->outputs[0], numbers({1012, 2012})));
  CHECK(outcomes[0]->trace[0].size() == 3);
  CHECK(outcomes[0]->attempts == 1);
  cluster.advance(20s); // no late timer answers again
  CHECK(outcomes.size() == 1);
}

TEST_CASE("parts of a batch are joined in their own order, whatever order they finish in") {
  simulated_cluster cluster(1, times_ten_plus_stage);
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1, 2, 3, 4, 5}), outcomes, 10s, 3);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(identical(outcomes[0]->outputs[0], numbers({10, 20, 30, 40, 50})));
  CHECK(outcomes[0]->trace.size() == 3);
}

TEST_CASE("a batch of two cannot be cut into three parts") {
  simulated_cluster cluster(1, times_ten_plus_stage);
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1, 2}), outcomes, 10s, 3);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  CHECK(outcomes[0].error().message() == "a batch of 2 cannot be split into 3 parts");
}

TEST_CASE("a result that no client could read fails its request") {
  simulated_cluster cluster(1, [](part& p, std::uint32_t) {
    p.values[0] = tensor({dtype::f32, {1, 2, 2}}, allocate_storage(16), 0, layout::channels_last);
    return true;
  });
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1, 2}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  CHECK(outcomes[0].error().message().find("layout channels_last, expected plain") !=
        std::string::npos);
}

TEST_CASE("a device whose stages take longer than planned is known for it") {
  simulated_cluster cluster(3, [](part& p, std::uint32_t stage) {
    p.trace.back().compute_us = stage == 1 ? 6000 : 2000;
    return true;
  });
  std::vector<result<response>> outcomes;
  CHECK(cluster.slowness().empty());
  for (int i = 0; i < 30; ++i) {
    cluster.infer(numbers({1}), outcomes);
    cluster.run();
  }
  REQUIRE(outcomes.size() == 30);
  const auto learned = cluster.slowness();
  REQUIRE(learned.size() == 3);
  CHECK(learned.at(0) == 1);
  CHECK(learned.at(1) == doctest::Approx(3));
  CHECK(learned.at(2) == 1);
}

TEST_CASE("a failure that another attempt may mend is tried again") {
  int failures = 1;
  simulated_cluster cluster(2, [&](part& p, std::uint32_t stage) {
    if (stage == 1 && failures-- > 0) {
      p.failure = error(errc::unavailable, "the device hiccuped");
      return true;
    }
    return times_ten_plus_stage(p, stage);
  });
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1}), outcomes);
  cluster.run();
  cluster.advance(5s);
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(identical(outcomes[0]->outputs[0], numbers({101})));
  CHECK(outcomes[0]->attempts == 2);
}

TEST_CASE("a failure of the input ends the request at once and names request, stage and node") {
  int runs = 0;
  simulated_cluster cluster(2, [&](part& p, std::uint32_t stage) {
    ++runs;
    if (stage == 1) p.failure = error(errc::invalid_argument, "Gather 'g': index 9 of 3");
    return true;
  });
  std::vector<result<response>> outcomes;
  const auto id = cluster.infer(numbers({1}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  CHECK(outcomes[0].error().code() == errc::invalid_argument);
  const auto& text = outcomes[0].error().message();
  CHECK(text.find(std::to_string(id)) != std::string::npos);
  CHECK(text.find("stage 2 of 'm'") != std::string::npos);
  CHECK(text.find("index 9 of 3") != std::string::npos);
  CHECK(runs == 2);
}

TEST_CASE("an executor that never answers cannot keep a request beyond its deadline") {
  simulated_cluster cluster(1, [](part&, std::uint32_t) { return false; });
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1}), outcomes, 2s);
  cluster.run();
  cluster.advance(1900ms);
  CHECK(outcomes.empty());
  cluster.advance(200ms);
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  CHECK(outcomes[0].error().code() == errc::deadline_exceeded);
}

TEST_CASE("a cancelled request is answered with 'cancelled', and only once") {
  simulated_cluster cluster(1, [](part&, std::uint32_t) { return false; });
  std::vector<result<response>> outcomes;
  const auto id = cluster.infer(numbers({1}), outcomes, 2s);
  cluster.run();
  cluster.cancel(id);
  cluster.run();
  cluster.advance(3s);
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  CHECK(outcomes[0].error().code() == errc::cancelled);
}

TEST_CASE("a new plan takes over from the one before") {
  simulated_cluster cluster(1, times_ten_plus_stage);
  cluster.use_plan(2, 3);
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(identical(outcomes[0]->outputs[0], numbers({1012})));
}

TEST_CASE("without any node left, requests end with a typed error by their deadline") {
  simulated_cluster cluster(1, times_ten_plus_stage);
  cluster.lose_node();
  std::vector<result<response>> outcomes;
  cluster.infer(numbers({1}), outcomes, 1s);
  cluster.run();
  cluster.advance(2s);
  REQUIRE(outcomes.size() == 1);
  CHECK_FALSE(outcomes[0]);
}

TEST_CASE("under random failures and silence every request ends exactly once, its result right") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    simulated_cluster cluster(3, [&](part& p, std::uint32_t stage) {
      const auto dice = random() % 20;
      if (dice == 0) return false;
      if (dice == 1) {
        p.failure = error(errc::unavailable, "a planned failure");
        return true;
      }
      return times_ten_plus_stage(p, stage);
    });
    std::map<int, std::vector<result<response>>> outcomes;
    for (int i = 0; i < 20; ++i) {
      cluster.infer(numbers({static_cast<float>(i)}), outcomes[i], 30s);
      if (random() % 3 == 0) cluster.advance(50ms);
    }
    cluster.advance(40s);
    int answered = 0;
    for (const auto& [i, list] : outcomes) {
      REQUIRE(list.size() == 1);
      if (!list[0]) continue;
      ++answered;
      CHECK(list[0]->outputs[0].values<float>()[0] == static_cast<float>(i * 1000 + 12));
    }
    CHECK(answered > 0);
  }
}
