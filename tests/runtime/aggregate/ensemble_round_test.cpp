#include "runtime/aggregate/ensemble_round.hpp"
#include "tests/runtime/aggregate/member_values.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

const instant now = instant(1000s);
const instant deadline = now + 1s;

using answers = std::vector<result<std::vector<tensor>>>;

std::shared_ptr<ensemble_rules> rules_of(std::size_t members, std::vector<combination> ways) {
  auto rules = std::make_shared<ensemble_rules>();
  for (std::size_t m = 0; m < members; ++m)
    rules->members.push_back({member_names[m], 1 + 0.3 * static_cast<double>(m)});
  for (std::size_t i = 0; i < ways.size(); ++i)
    rules->outputs.push_back({i == 0 ? "y" : fmt::format("y{}", i), std::move(ways[i]), {}});
  return rules;
}

combination way(combine_way w) {
  combination how;
  how.way = w;
  return how;
}

/// Every way that needs nothing but numbers, each an output.
std::vector<combination> all_ways() {
  using enum combine_way;
  std::vector<combination> ways;
  for (const auto w : {sum, mean, weighted_mean, log_mean, combine_way::max, combine_way::min,
                       median, trimmed_mean, majority_vote, soft_vote, concatenation}) {
    ways.push_back(way(w));
    ways.back().axis = 0;
    ways.back().trim = 0.3;
  }
  return ways;
}

result<std::vector<tensor>> scalar(float value) {
  return std::vector{tensor::of<float>({1}, {value})};
}

float value_of(const ensemble_round::outcome& outcome) {
  REQUIRE(outcome);
  return outcome->outputs[0].value.values<float>()[0];
}

/// Tells the members' answers in `order`, those that are not in it never; then the deadline.
ensemble_round::outcome play(const std::shared_ptr<const ensemble_rules>& rules,
                             const answers& said, const std::vector<std::size_t>& order) {
  auto round = ensemble_round::start(rules, deadline);
  REQUIRE(round);
  std::vector<ensemble_round::outcome> outcomes;
  auto time = now;
  for (const auto m : order)
    if (auto decided = round->take(m, said[m], time += 1ms)) outcomes.push_back(*decided);
  if (auto decided = round->expire(deadline)) outcomes.push_back(*decided);
  CHECK(!round->expire(deadline + 1s));
  CHECK(!round->take(0, scalar(1), deadline + 1s));
  REQUIRE(outcomes.size() == 1);
  return outcomes.front();
}

bool same(const ensemble_answer& a, const ensemble_answer& b) {
  if (a.outputs.size() != b.outputs.size() || a.answered != b.answered) return false;
  for (std::size_t i = 0; i < a.outputs.size(); ++i) {
    const auto& x = a.outputs[i];
    const auto& y = b.outputs[i];
    if (!identical(x.value, y.value) || x.agreement != y.agreement) return false;
    if (x.spread.has_value() != y.spread.has_value()) return false;
    if (x.spread && (x.spread->mean != y.spread->mean || x.spread->max != y.spread->max))
      return false;
  }
  return true;
}

} // namespace

TEST_CASE("every order of arrival gives the same bytes, whoever fails or is late") {
  random_numbers numbers(5);
  for (std::size_t count = 1; count <= 5; ++count)
    for (const auto policy : {missing_policy::renormalise, missing_policy::use_default})
      for (unsigned absent = 0; absent < (1u << count) - 1; absent += 1 + (count == 5 ? 2 : 0)) {
        auto ways = all_ways();
        if (policy == missing_policy::renormalise) ways.pop_back(); // but concatenation
        const auto rules = rules_of(count, ways);
        rules->missing = policy;
        rules->quorum = 1;
        for (auto& output : rules->outputs) output.stand_in = 0.25;
        answers said;
        std::vector<std::size_t> order;
        for (std::size_t m = 0; m < count; ++m) {
          std::vector<tensor> values(ways.size(), random_tensor(numbers, dtype::f32, {5, 2}));
          said.push_back(std::move(values));
          const bool missing = ((absent >> m) & 1u) != 0;
          if (missing && m % 2 == 0) said.back() = error(errc::unavailable, "gone");
          if (!missing || m % 2 == 0) order.push_back(m); // the others stay silent
        }
        const auto reference = play(rules, said, order);
        REQUIRE(reference);
        CHECK(reference->answered == count - static_cast<std::size_t>(std::popcount(absent)));
        auto permuted = order;
        while (std::ranges::next_permutation(permuted).found) {
          const auto outcome = play(rules, said, permuted);
          REQUIRE(outcome);
          CHECK(same(*outcome, *reference));
        }
      }
}

TEST_CASE("an outcome comes with the last answer, before the deadline") {
  const auto rules = rules_of(3, {way(combine_way::mean)});
  auto round = *ensemble_round::start(rules, deadline);
  CHECK(!round.take(2, scalar(6), now));
  CHECK(!round.take(0, scalar(1), now));
  CHECK(round.waits_for(1));
  CHECK(!round.waits_for(0));
  CHECK(!round.take(0, scalar(100), now)); // only the first word counts
  const auto outcome = round.take(1, scalar(2), now);
  REQUIRE(outcome);
  CHECK(value_of(*outcome) == 3);
  CHECK((*outcome)->answered == 3);
  CHECK((*outcome)->missing.empty());
  CHECK(round.decided());
}

TEST_CASE("with its quorum an ensemble answers without those that are missing, and names them") {
  const auto rules = rules_of(3, {way(combine_way::mean)});
  rules->quorum = 2;
  const answers said{scalar(1), error(errc::unavailable, "node gone"), scalar(4)};
  const auto outcome = play(rules, said, {0, 1, 2});
  CHECK(value_of(outcome) == 2.5f);
  CHECK(outcome->answered == 2);
  REQUIRE(outcome->missing.size() == 1);
  CHECK(outcome->missing[0].name == "b");
  CHECK(outcome->missing[0].why == error(errc::unavailable, "node gone"));

  const auto late = play(rules, said, {0, 2});
  CHECK(value_of(late) == 2.5f);
  CHECK(late->missing[0].why == error(errc::deadline_exceeded, "no answer by the deadline"));
}

TEST_CASE("below its quorum an ensemble fails as soon as that is sure, and says why") {
  const auto rules = rules_of(3, {way(combine_way::mean)});
  rules->quorum = 2;
  auto round = *ensemble_round::start(rules, deadline);
  CHECK(!round.take(2, error(errc::unavailable, "node gone"), now));
  const auto outcome = round.take(0, error(errc::malformed, "no image"), now);
  REQUIRE(outcome);
  REQUIRE(!*outcome);
  CHECK(to_string(outcome->error()) ==
        "malformed: 2 of 3 members failed, 2 are needed: 'a': malformed: no image; 'c': "
        "unavailable: node gone");

  auto silent = *ensemble_round::start(rules, deadline);
  CHECK(!silent.take(0, scalar(1), now));
  CHECK(!silent.expire(deadline - 1ns));
  const auto expired = silent.expire(deadline);
  REQUIRE(expired);
  REQUIRE(!*expired);
  CHECK(expired->error().code() == errc::deadline_exceeded);
  CHECK(expired->error().message() ==
        "2 of 3 members failed, 2 are needed: 'b': deadline exceeded: no answer by the deadline; "
        "'c': deadline exceeded: no answer by the deadline");
}

TEST_CASE("an answer after the deadline is late even if nobody said that time had passed") {
  const auto rules = rules_of(2, {way(combine_way::mean)});
  rules->quorum = 1;
  auto round = *ensemble_round::start(rules, deadline);
  CHECK(!round.take(0, scalar(1), deadline - 1ns));
  const auto outcome = round.take(1, scalar(3), deadline);
  REQUIRE(outcome);
  CHECK(value_of(*outcome) == 1);
}

TEST_CASE("who must not be missing makes the ensemble fail at once") {
  const auto rules = rules_of(3, {way(combine_way::mean)});
  rules->missing = missing_policy::fail;
  auto round = *ensemble_round::start(rules, deadline);
  const auto outcome = round.take(1, error(errc::unavailable, "gone"), now);
  REQUIRE(outcome);
  CHECK(outcome->error().message() ==
        "1 of 3 members failed, 3 are needed: 'b': unavailable: gone");
}

TEST_CASE("a default takes the place of a missing member, with its weight") {
  const auto rules = rules_of(3, {way(combine_way::weighted_mean)}); // weights 1, 1.3, 1.6
  rules->missing = missing_policy::use_default;
  rules->quorum = 1;
  rules->outputs[0].stand_in = 10.0;
  const answers said{error(errc::unavailable, "gone"), scalar(1), error(errc::unavailable, "gone")};
  const auto outcome = play(rules, said, {2, 1, 0});
  CHECK(value_of(outcome) == static_cast<float>((10 * 1.0 + 1 * 1.3 + 10 * 1.6) / (1 + 1.3 + 1.6)));
  CHECK(outcome->outputs[0].spread->max == 0); // of those that answered

  rules->outputs[0].stand_in = tensor::of<float>({1}, {7});
  CHECK(value_of(play(rules, said, {2, 1, 0})) ==
        static_cast<float>((7 * 1.0 + 1 * 1.3 + 7 * 1.6) / (1 + 1.3 + 1.6)));

  rules->outputs[0].stand_in = tensor::of<float>({2}, {7, 7});
  CHECK(play(rules, said, {0, 1, 2}).error().message() ==
        "output 'y': the default is float32[2], but the members give float32[1]");
}

TEST_CASE("where all members are needed none has to have a default") {
  const auto rules = rules_of(3, {way(combine_way::mean)});
  rules->missing = missing_policy::use_default;
  const answers said{scalar(1), error(errc::unavailable, "gone"),
                     std::vector{tensor::of<float>({2}, {1, 2})}};
  for (const auto& order : {std::vector<std::size_t>{0, 1, 2}, {0, 2, 1}, {1, 0, 2}}) {
    const auto outcome = play(rules, said, order);
    REQUIRE(!outcome);
    CHECK(outcome.error().message().find("3 are needed: 'b': unavailable: gone") !=
          std::string::npos);
  }
  const answers misfit{scalar(1), scalar(2), said[2]};
  CHECK(play(rules, misfit, {0, 1, 2}).error().message().find("3 are needed: 'c': ") !=
        std::string::npos);
}

TEST_CASE("a member whose answer does not fit fails alone, in words that name it") {
  const auto rules = rules_of(4, {way(combine_way::mean), way(combine_way::sum)});
  rules->quorum = 1;
  const auto one = tensor::of<float>({1}, {1}), two = tensor::of<float>({2}, {1, 2});
  answers said{std::vector{one, one}, std::vector{one, two}, std::vector{one},
               std::vector{one, tensor()}};
  const auto outcome = play(rules, said, {3, 2, 1, 0});
  CHECK(value_of(outcome) == 1); // of b, nothing at all was taken
  CHECK(outcome->answered == 1);
  REQUIRE(outcome->missing.size() == 3);
  CHECK(outcome->missing[0].why.message() ==
        "output 'y1': got float32[2], expected float32[1] as member 'a' gave");
  CHECK(outcome->missing[1].why.message() == "it gave 1 outputs, expected 2");
  CHECK(outcome->missing[2].why.message() == "output 'y1': not a row-major tensor");

  rules->quorum = 2;
  CHECK(play(rules, said, {0, 1, 2, 3})
            .error()
            .message()
            .find("3 of 4 members failed, 2 are needed: 'b': invalid argument: output 'y1'") == 0);
}

TEST_CASE("rules that contradict themselves are refused") {
  const auto message = [](const ensemble_rules& rules) {
    const auto checked = check_rules(rules);
    REQUIRE(!checked);
    CHECK(checked.error().code() == errc::invalid_argument);
    return checked.error().message();
  };
  const auto changed = [](const auto& change) {
    auto rules = *rules_of(3, {way(combine_way::mean)});
    change(rules);
    return rules;
  };
  using rules = ensemble_rules;
  CHECK(check_rules(changed([](rules&) {})));
  CHECK(message(changed([](rules& r) { r.members.clear(); })) ==
        "an ensemble needs at least one member");
  CHECK(message(changed([](rules& r) { r.outputs.clear(); })) ==
        "an ensemble needs at least one output");
  CHECK(message(changed([](rules& r) { r.members[2].name = "a"; })) ==
        "two members are called 'a'");
  CHECK(message(changed([](rules& r) { r.members[1].weight = 0; })) ==
        "member 'b' has weight 0, expected one above 0");
  CHECK(message(changed([](rules& r) { r.quorum = 4; })) ==
        "the quorum is 4, but there are 3 members");
  CHECK(message(changed([](rules& r) {
          r.quorum = 2;
          r.missing = missing_policy::fail;
        })) == "a quorum of 2 of 3 members contradicts failing when one is missing");
  CHECK(message(changed([](rules& r) {
          r.quorum = 2;
          r.missing = missing_policy::use_default;
        })) == "output 'y': it has no default for members that are missing");
  CHECK(message(changed([](rules& r) {
          r.quorum = 2;
          r.outputs[0].how.way = combine_way::concatenation;
        })) == "output 'y': concatenation needs all members: give defaults for those that are "
               "missing, or fail");
  CHECK(message(changed([](rules& r) { r.outputs.push_back(r.outputs[0]); })) ==
        "two outputs are called 'y'");
}
