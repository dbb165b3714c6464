#include "tests/support/model_builder.hpp"
#include "tests/support/simulated_cluster.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

// The actors of an ensemble's request on virtual time. Who a member is shows in the value that it
// is asked, which is also what it answers.

namespace {

using outcomes_of_ensembles = std::vector<result<ensemble_response>>;

std::shared_ptr<ensemble_rules> trio() {
  auto rules = std::make_shared<ensemble_rules>();
  rules->members = {{"a", 1}, {"b", 2}, {"c", 4}};
  combination how;
  how.way = combine_way::weighted_mean;
  rules->outputs.push_back({"y", how, {}});
  return rules;
}

std::vector<tensor> questions(std::initializer_list<float> values) {
  std::vector<tensor> all;
  for (const float value : values) all.push_back(tensor::of<float>({1}, {value}));
  return all;
}

float asked(const part& p) {
  return p.values[0].values<float>()[0];
}

float value_of(const ensemble_response& response) {
  return response.answer.outputs[0].value.values<float>()[0];
}

} // namespace

TEST_CASE("all members are asked at once and answer as one, exactly once") {
  int seen = 0;
  simulated_cluster cluster(2, [&](part&, std::uint32_t) {
    ++seen;
    return true;
  });
  outcomes_of_ensembles outcomes;
  cluster.infer_ensemble(trio(), questions({1, 2, 4}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(value_of(*outcomes[0]) == 3);
  CHECK(outcomes[0]->answer.answered == 3);
  CHECK(outcomes[0]->efforts[2].attempts == 1);
  CHECK(seen == 6); // three members, two stages
  cluster.advance(20s);
  CHECK(outcomes.size() == 1);
}

TEST_CASE("with a quorum the deadline ends the wait for a silent member") {
  simulated_cluster cluster(1, [](part& p, std::uint32_t) { return asked(p) != 2; });
  auto rules = trio();
  rules->quorum = 2;
  outcomes_of_ensembles outcomes;
  cluster.infer_ensemble(rules, questions({1, 2, 4}), outcomes, 500ms);
  cluster.advance(490ms);
  CHECK(outcomes.empty());
  cluster.advance(20ms);
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(value_of(*outcomes[0]) == static_cast<float>((1 + 16) / 5.0));
  REQUIRE(outcomes[0]->answer.missing.size() == 1);
  CHECK(outcomes[0]->answer.missing[0].name == "b");
  CHECK(outcomes[0]->answer.missing[0].why.code() == errc::deadline_exceeded);
  CHECK(outcomes[0]->elapsed_us >= 500'000);
  cluster.advance(20s);
  CHECK(outcomes.size() == 1);
}

TEST_CASE("a member that fails is left out, or fails the ensemble in words that name all") {
  simulated_cluster cluster(1, [](part& p, std::uint32_t) {
    if (asked(p) == 1) p.failure = error(errc::invalid_argument, "no such shape");
    return true;
  });
  auto rules = trio();
  rules->quorum = 2;
  outcomes_of_ensembles outcomes;
  cluster.infer_ensemble(rules, questions({1, 2, 4}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE(outcomes[0]);
  CHECK(value_of(*outcomes[0]) == static_cast<float>((2 * 2 + 4 * 4) / 6.0));

  cluster.infer_ensemble(rules, questions({1, 1, 4}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 2);
  REQUIRE_FALSE(outcomes[1]);
  CHECK(outcomes[1].error().code() == errc::invalid_argument);
  const auto& text = outcomes[1].error().message();
  CAPTURE(text);
  CHECK(text.find(
            "ensemble 'trio': 2 of 3 members failed, 2 are needed: 'a': invalid argument: ") == 0);
  CHECK(text.find("'b': invalid argument: ") != std::string::npos);
  CHECK(text.find("no such shape") != std::string::npos);
}

TEST_CASE("members that nobody waits for any more are cancelled") {
  simulated_cluster cluster(1, [](part& p, std::uint32_t) {
    if (asked(p) == 1) p.failure = error(errc::invalid_argument, "no such shape");
    return asked(p) == 1;
  });
  outcomes_of_ensembles outcomes;
  cluster.infer_ensemble(trio(), questions({1, 2, 4}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  // Their credits are free again: another request gets through.
  std::vector<result<response>> single;
  cluster.infer(tensor::of<float>({1}, {1}), single);
  cluster.run();
  CHECK(single.size() == 1);
}

TEST_CASE("a cancelled ensemble answers that, once") {
  simulated_cluster cluster(1, [](part&, std::uint32_t) { return false; });
  outcomes_of_ensembles outcomes;
  const auto id = cluster.infer_ensemble(trio(), questions({1, 2, 4}), outcomes);
  cluster.run();
  cluster.cancel_ensemble(id);
  cluster.cancel_ensemble(id);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  REQUIRE_FALSE(outcomes[0]);
  CHECK(outcomes[0].error().code() == errc::cancelled);
  cluster.advance(20s);
  CHECK(outcomes.size() == 1);
}

TEST_CASE("rules that contradict themselves are answered with what is wrong") {
  simulated_cluster cluster(1, [](part&, std::uint32_t) { return true; });
  auto rules = trio();
  rules->quorum = 4;
  outcomes_of_ensembles outcomes;
  cluster.infer_ensemble(rules, questions({1, 2, 4}), outcomes);
  cluster.run();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].error().message() ==
        "ensemble 'trio': the quorum is 4, but there are 3 members");
}

TEST_CASE("every accepted ensemble ends exactly once, whatever its members do") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    random_numbers numbers(seed);
    simulated_cluster cluster(1 + static_cast<std::size_t>(numbers.below(3)),
                              [&](part& p, std::uint32_t) {
                                if (numbers.chance(8)) p.failure = error(errc::internal, "stub");
                                return !numbers.chance(8); // else it is swallowed
                              });
    constexpr std::size_t count = 20;
    std::vector<outcomes_of_ensembles> outcomes(count);
    for (std::size_t i = 0; i < count; ++i) {
      auto rules = trio();
      rules->quorum = static_cast<std::size_t>(1 + numbers.below(3));
      const auto timeout = std::chrono::milliseconds(50 + numbers.below(1000));
      const auto id = cluster.infer_ensemble(rules, questions({1, 2, 4}), outcomes[i], timeout);
      cluster.advance(std::chrono::milliseconds(10 * numbers.below(10)));
      if (numbers.chance(6)) cluster.cancel_ensemble(id);
      if (numbers.chance(25)) cluster.lose_node();
    }
    cluster.advance(3s);
    for (const auto& one : outcomes) {
      REQUIRE(one.size() == 1);
      if (!one[0]) continue;
      const auto& answer = one[0]->answer;
      CHECK(answer.answered + answer.missing.size() == 3);
      // The bytes are those of the members that are not missing, in their order.
      double sum = 0, weights = 0;
      for (const auto& [name, value] : {std::pair("a", 1.0), {"b", 2.0}, {"c", 4.0}}) {
        if (std::ranges::any_of(answer.missing, [&](const auto& m) { return m.name == name; }))
          continue;
        sum += value * value;
        weights += value;
      }
      CHECK(value_of(*one[0]) == static_cast<float>(sum / weights));
    }
  }
}
