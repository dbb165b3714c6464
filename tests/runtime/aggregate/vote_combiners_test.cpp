#include "tests/runtime/aggregate/member_values.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

using namespace shoal;
using namespace shoal::test;

namespace {

combination vote(combine_way way, member_values values, int axis = -1) {
  combination how;
  how.way = way;
  how.values = values;
  how.axis = axis;
  return how;
}

std::vector<double> softmax(std::vector<double> x) {
  double greatest = x[0], sum = 0;
  for (const double v : x) greatest = std::max(greatest, v);
  for (auto& v : x) sum += v = std::exp(v - greatest);
  for (auto& v : x) v /= sum;
  return x;
}

std::size_t place_of_greatest(const std::vector<double>& x) {
  return static_cast<std::size_t>(std::ranges::max_element(x) - x.begin());
}

} // namespace

TEST_CASE("a majority of labels wins, ties by the rule that is asked for") {
  random_numbers numbers(3);
  for (int round = 0; round < 60; ++round) {
    const auto count = 1 + static_cast<std::size_t>(numbers.below(7));
    std::vector<tensor> members;
    std::vector<double> weights;
    for (std::size_t m = 0; m < count; ++m) {
      auto labels = *tensor::allocate({dtype::i32, {3, 5}});
      for (auto& label : labels.mutable_values<std::int32_t>())
        label = static_cast<std::int32_t>(numbers.below(4)) - 1;
      members.push_back(labels);
      weights.push_back(static_cast<double>(numbers.uniform(0.5f, 2)));
    }
    for (const auto ties :
         {tie_break::lowest_class, tie_break::first_member, tie_break::weighted}) {
      auto how = vote(combine_way::majority_vote, member_values::labels);
      how.ties = ties;
      const auto got = combine(how, members, weights);
      REQUIRE(got);
      REQUIRE(got->value.type() == members[0].type());
      double agreed = 0;
      for (std::size_t i = 0; i < 15; ++i) {
        std::map<int, std::vector<std::size_t>> voters;
        for (std::size_t m = 0; m < count; ++m)
          voters[members[m].values<std::int32_t>()[i]].push_back(m);
        std::size_t most = 0;
        for (const auto& [label, who] : voters) most = std::max(most, who.size());
        const auto weight = [&](int label) {
          double sum = 0;
          for (const auto m : voters.at(label)) sum += weights[m];
          return sum;
        };
        int winner = -9; // the labels rise
        for (const auto& [label, who] : voters) {
          if (who.size() != most) continue;
          const bool first = ties == tie_break::first_member && winner != -9 &&
                             who.front() < voters.at(winner).front();
          const bool heavier =
              ties == tie_break::weighted && winner != -9 && weight(label) > weight(winner);
          if (winner == -9 || first || heavier) winner = label;
        }
        CHECK(got->value.values<std::int32_t>()[i] == winner);
        agreed += static_cast<double>(most);
      }
      CHECK(*got->agreement == doctest::Approx(agreed / 15 / static_cast<double>(count)));
      CHECK(!got->spread);
    }
  }
}

TEST_CASE("scores vote for the best class along any axis") {
  random_numbers numbers(9);
  for (const auto& dims : {shape{1, 5}, shape{5}, shape{2, 3, 4}, shape{3, 1, 2}})
    for (int axis = 0; axis < dims.rank(); ++axis)
      for (const auto type : {dtype::f32, dtype::f16, dtype::i8}) {
        std::vector<tensor> members, labels;
        for (int m = 0; m < 5; ++m) {
          members.push_back(random_tensor(numbers, type, dims));
          const auto values = values_of(members.back());
          const auto inner = dims.element_count(axis + 1, dims.rank());
          std::vector<std::int64_t> best;
          for (std::int64_t o = 0; o < dims.element_count(0, axis); ++o)
            for (std::int64_t i = 0; i < inner; ++i) {
              std::vector<double> run;
              for (std::int64_t k = 0; k < dims[axis]; ++k)
                run.push_back(values[static_cast<std::size_t>((o * dims[axis] + k) * inner + i)]);
              best.push_back(static_cast<std::int64_t>(place_of_greatest(run)));
            }
          labels.push_back(tensor::of<std::int64_t>(without_axis(dims, axis),
                                                    std::span<const std::int64_t>(best)));
        }
        const auto by_scores =
            combine(vote(combine_way::majority_vote, member_values::logits, axis), members);
        const auto by_labels =
            combine(vote(combine_way::majority_vote, member_values::labels), labels);
        REQUIRE(by_scores);
        CHECK(identical(by_scores->value, by_labels->value));
        CHECK(by_scores->agreement == by_labels->agreement);
      }
}

TEST_CASE("soft votes and log-means agree with a plain loop") {
  random_numbers numbers(77);
  for (const auto type : {dtype::f32, dtype::f64, dtype::f16})
    for (const auto values : {member_values::logits, member_values::probabilities})
      for (const auto way : {combine_way::soft_vote, combine_way::log_mean})
        for (int count = 1; count <= 5; ++count) {
          std::vector<tensor> members;
          std::vector<double> weights;
          for (int m = 0; m < count; ++m) {
            auto member = random_tensor(numbers, type, {2, 7, 3});
            if (values == member_values::probabilities) { // positive; not quite normalised
              auto all = values_of(member);
              for (auto& x : all) x = std::abs(x) / 28 + 1e-3;
              write_elements(all, member, 0);
            }
            members.push_back(member);
            weights.push_back(static_cast<double>(numbers.uniform(0.5f, 2)));
          }
          auto how = vote(way, values, 1);
          const auto got = combine(how, members, weights);
          how.labels = true;
          const auto labelled = combine(how, members, weights);
          REQUIRE(got);
          REQUIRE(got->value.type() == members[0].type());
          REQUIRE(labelled->value.type() == tensor_type{dtype::i64, {2, 3}});
          const auto answer = values_of(got->value);
          double agreed = 0;
          const double close = type == dtype::f16 ? 1e-3 : type == dtype::f32 ? 1e-6 : 1e-13;
          for (std::size_t run = 0; run < 6; ++run) {
            const auto place = [&](std::size_t k) { return (run / 3 * 7 + k) * 3 + run % 3; };
            std::vector<double> expected(7, 0);
            std::vector<std::size_t> chosen;
            double weight = 0;
            for (std::size_t m = 0; m < members.size(); ++m) {
              const auto all = values_of(members[m]);
              std::vector<double> p;
              for (std::size_t k = 0; k < 7; ++k) p.push_back(all[place(k)]);
              chosen.push_back(place_of_greatest(p));
              if (values == member_values::logits) p = softmax(p);
              weight += weights[m];
              for (std::size_t k = 0; k < 7; ++k)
                expected[k] += weights[m] * (way == combine_way::log_mean ? std::log(p[k]) : p[k]);
            }
            for (auto& x : expected) x /= weight;
            if (way == combine_way::log_mean) expected = softmax(expected);
            for (std::size_t k = 0; k < 7; ++k)
              CHECK(answer[place(k)] == doctest::Approx(expected[k]).epsilon(close));
            const auto winner = place_of_greatest(expected);
            CHECK(labelled->value.values<std::int64_t>()[run] == static_cast<std::int64_t>(winner));
            for (const auto c : chosen) agreed += c == winner ? 1 : 0;
          }
          CHECK(*got->agreement == doctest::Approx(agreed / 6 / count));
          CHECK(got->spread->max <= 1);
        }
}

TEST_CASE("a class that a member rules out has no log-mean; none left means all alike") {
  const auto a = tensor::of<double>({3}, {0, 0.5, 0.5}), b = tensor::of<double>({3}, {1, 0, 0});
  const auto c = tensor::of<double>({3}, {0.5, 0.5, 0});
  const auto how = vote(combine_way::log_mean, member_values::probabilities);
  CHECK(identical(combine(how, {a, c})->value, tensor::of<double>({3}, {0, 1, 0})));
  const auto none = values_of(combine(how, {a, b})->value);
  for (const double p : none) CHECK(p == doctest::Approx(1.0 / 3));
}

TEST_CASE("of equal scores the lowest class is the best, and NaN is none") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto how = vote(combine_way::majority_vote, member_values::probabilities);
  const auto choice = [&](std::initializer_list<float> scores) {
    return combine(how, {tensor::of<float>({static_cast<std::int64_t>(scores.size())}, scores)})
        ->value.values<std::int64_t>()[0];
  };
  CHECK(choice({1, 3, 3}) == 1);
  CHECK(choice({nan, 3, 3}) == 1);
  CHECK(choice({1, nan, 3}) == 2);
  CHECK(choice({nan, nan}) == 0);
}

TEST_CASE("votes say which values they cannot count") {
  const auto message = [](const combination& how, const tensor& member) {
    const auto got = combine(how, {member});
    REQUIRE(!got);
    return got.error().message();
  };
  const auto floats = tensor::of<float>({2}, {1, 2});
  CHECK(message(vote(combine_way::majority_vote, member_values::labels), floats) ==
        "labels are booleans or integers up to int64, got float32[2]");
  CHECK(message(vote(combine_way::soft_vote, member_values::logits),
                tensor::of<std::int32_t>({2}, {1, 2})) ==
        "logits are floating point, got int32[2]");
  CHECK(message(vote(combine_way::soft_vote, member_values::labels), floats) ==
        "soft_vote needs logits or probabilities, not labels");
  CHECK(message(vote(combine_way::soft_vote, member_values::logits, 1), floats) ==
        "shape [2] has no axis 1");
  CHECK(message(vote(combine_way::majority_vote, member_values::logits),
                *tensor::allocate({dtype::f32, {3, 0}})) ==
        "axis -1 of shape [3,0] holds nothing to choose from");
}
