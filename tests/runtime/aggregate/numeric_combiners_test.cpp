#include "runtime/aggregate/wide_integer.hpp"
#include "tests/runtime/aggregate/member_values.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace shoal;
using namespace shoal::test;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

/// What `way` makes of one element of every member, in plain words.
double oracle(combine_way way, std::vector<double> x, const std::vector<double>& w) {
  const auto n = static_cast<double>(x.size());
  double sum = 0, weighted = 0, weights = 0;
  for (std::size_t m = 0; m < x.size(); ++m) {
    sum += x[m];
    weighted += w[m] * x[m];
    weights += w[m];
  }
  auto sorted = x;
  std::ranges::sort(sorted);
  const auto cut = static_cast<std::size_t>(x.size() / 4); // of trim 0.25
  double middle = 0;
  for (std::size_t i = cut; i < sorted.size() - cut; ++i) middle += sorted[i];
  const auto half = sorted.size() / 2;
  switch (way) {
  case combine_way::sum:
    return sum;
  case combine_way::mean:
    return sum / n;
  case combine_way::weighted_mean:
    return weighted / weights;
  case combine_way::max:
    return sorted.back();
  case combine_way::min:
    return sorted.front();
  case combine_way::median:
    return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  default:
    return middle / static_cast<double>(sorted.size() - 2 * cut);
  }
}

} // namespace

TEST_CASE("numeric ways agree with a plain loop, for every number type") {
  using enum combine_way;
  random_numbers numbers(41);
  const std::vector<shape> shapes{{}, {1}, {7, 3}, {1, 5, 2, 3}, {0, 4}, {2, 1031}};
  for (int type = 0; type < dtype_count; ++type) {
    if (static_cast<dtype>(type) == dtype::boolean) continue;
    for (const auto& dims : shapes) {
      std::vector<tensor> members;
      std::vector<double> weights;
      const auto count = 1 + numbers.below(6);
      for (std::int64_t m = 0; m < count; ++m) {
        members.push_back(random_tensor(numbers, static_cast<dtype>(type), dims));
        weights.push_back(static_cast<double>(numbers.uniform(0.1f, 4)));
      }
      for (const auto way : {sum, mean, weighted_mean, max, min, median, trimmed_mean}) {
        CAPTURE(to_string(way));
        CAPTURE(to_string(members[0].type()));
        CAPTURE(count);
        combination how;
        how.way = way;
        how.trim = 0.25;
        const auto got = combine(how, members, weights);
        REQUIRE(got);
        auto expected = *tensor::allocate(members[0].type());
        std::vector<double> plain(static_cast<std::size_t>(expected.element_count()));
        double spread = 0;
        for (std::size_t i = 0; i < plain.size(); ++i) {
          std::vector<double> column;
          for (const auto& member : members) column.push_back(values_of(member)[i]);
          plain[i] = oracle(way, column, weights);
          const auto mean = oracle(combine_way::mean, column, weights);
          double square = 0;
          for (const double x : column) square += (x - mean) * (x - mean);
          spread = std::max(spread, std::sqrt(square / static_cast<double>(count)));
        }
        write_elements(plain, expected, 0);
        CHECK(identical(got->value, expected));
        REQUIRE(got->spread);
        CHECK(got->spread->max == doctest::Approx(spread).epsilon(1e-9));
        CHECK(got->spread->mean <= got->spread->max);
        CHECK(!got->agreement);
      }
    }
  }
}

TEST_CASE("integers are summed exactly, rounded once to nearest even, and end at their limits") {
  combination how;
  how.way = combine_way::mean;
  using i64 = std::int64_t;
  const auto mean = [&](std::initializer_list<i64> members) {
    std::vector<tensor> all;
    for (const auto m : members) all.push_back(tensor::of<i64>({1}, {m}));
    return combine(how, all)->value.values<i64>()[0];
  };
  constexpr auto greatest = std::numeric_limits<i64>::max();
  CHECK(mean({1, 2}) == 2); // 1.5
  CHECK(mean({2, 3}) == 2); // 2.5
  CHECK(mean({-1, -2}) == -2);
  CHECK(mean({-2, -3}) == -2);
  CHECK(mean({-1, -1, -2}) == -1);
  CHECK(mean({greatest, greatest, greatest}) == greatest);
  CHECK(mean({greatest - 2, greatest}) == greatest - 1);
  how.way = combine_way::median;
  CHECK(mean({greatest - 2, greatest}) == greatest - 1);
  how.way = combine_way::sum;
  CHECK(mean({greatest, 5}) == greatest);
  CHECK(mean({-greatest, -greatest}) == std::numeric_limits<i64>::min());
  const auto bytes = tensor::of<std::uint8_t>({2}, {200, 3});
  CHECK(identical(combine(how, {bytes, bytes})->value, tensor::of<std::uint8_t>({2}, {255, 6})));
}

TEST_CASE("quotients are rounded to nearest even on both sides of zero") {
  for (int value = -40; value <= 40; ++value)
    for (int divisor = 1; divisor <= 8; ++divisor)
      CHECK(static_cast<double>(rounded_quotient(value, divisor)) ==
            std::nearbyint(static_cast<double>(value) / divisor));
}

TEST_CASE("float16 is accumulated in float64 and rounded once") {
  combination how;
  how.way = combine_way::mean;
  // In float16, 2048 + 1 is 2048.
  const auto big = tensor::of<half>({1}, {half(2048)});
  const auto one = tensor::of<half>({1}, {half(1)});
  const auto got = combine(how, {big, one, one, one});
  CHECK(got->value.values<half>()[0].bits == half(512.75f).bits);
}

TEST_CASE("a NaN of one member is never hidden, and left out of the spread") {
  const auto numbers = tensor::of<double>({3}, {1, 2, 3});
  const auto broken = tensor::of<double>({3}, {not_a_number, 4, infinity});
  for (const auto way : {combine_way::sum, combine_way::mean, combine_way::max, combine_way::min,
                         combine_way::median, combine_way::trimmed_mean}) {
    CAPTURE(to_string(way));
    combination how;
    how.way = way;
    for (const auto& order : {std::vector{numbers, broken}, std::vector{broken, numbers}}) {
      const auto got = combine(how, order);
      CHECK(std::isnan(got->value.values<double>()[0]));
      CHECK(std::isfinite(got->value.values<double>()[1]));
      CHECK(got->spread->left_out == 2);
      CHECK(got->spread->max == 1);
    }
  }
}

TEST_CASE("without a member a sum is scaled up, and means divide by what is there") {
  const auto one = tensor::of<float>({1}, {1}), three = tensor::of<float>({1}, {3});
  combination how;
  how.way = combine_way::sum;
  CHECK(combine(how, {one, three}, {}, 3)->value.values<float>()[0] == 6);
  how.way = combine_way::mean;
  CHECK(combine(how, {one, three}, {}, 3)->value.values<float>()[0] == 2);
  how.way = combine_way::weighted_mean;
  CHECK(combine(how, {one, three}, {3, 1}, 3)->value.values<float>()[0] == 1.5f);
  how.way = combine_way::sum;
  const auto integer = tensor::of<std::int32_t>({1}, {5});
  CHECK(combine(how, {integer, integer}, {}, 3)->value.values<std::int32_t>()[0] == 15);
}

TEST_CASE("a trimmed mean cuts off whole members, and a share that is a little less by rounding") {
  combination how;
  how.way = combine_way::trimmed_mean;
  std::vector<tensor> members;
  for (const float value : {100.f, 1.f, 2.f, 3.f, -70.f})
    members.push_back(tensor::of<float>({1}, {value}));
  const auto trimmed = [&](double trim) {
    how.trim = trim;
    return combine(how, members)->value.values<float>()[0];
  };
  CHECK(trimmed(0.2) == 2);
  CHECK(trimmed(0.39) == 2);
  CHECK(trimmed(0.4) == 2);
  CHECK(trimmed(0.19) == 7.2f);
  CHECK(trimmed(0) == 7.2f);
}

TEST_CASE("parts side by side in the order of the members") {
  random_numbers numbers(7);
  for (int round = 0; round < 30; ++round) {
    const int rank = 1 + static_cast<int>(numbers.below(4));
    const int axis = static_cast<int>(numbers.below(rank));
    shape dims;
    for (int i = 0; i < rank; ++i) dims.push_back(numbers.below(4));
    std::vector<tensor> members;
    auto whole = dims;
    whole[axis] = 0;
    for (int m = 0; m < 3; ++m) {
      dims[axis] = numbers.below(4);
      whole[axis] += dims[axis];
      members.push_back(random_tensor(numbers, dtype::f32, dims));
    }
    combination how;
    how.way = combine_way::concatenation;
    how.axis = numbers.chance(2) ? axis : axis - rank;
    const auto got = combine(how, members);
    REQUIRE(got);
    REQUIRE(got->value.dims() == whole);
    std::vector<float> expected;
    for (std::int64_t o = 0; o < whole.element_count(0, axis); ++o)
      for (const auto& member : members) {
        const auto run = member.dims().element_count(axis, rank);
        for (std::int64_t i = 0; i < run; ++i)
          expected.push_back(member.values<float>()[static_cast<std::size_t>(o * run + i)]);
      }
    CHECK(std::ranges::equal(got->value.values<float>(), expected));
  }
}

TEST_CASE("members of other types and shapes are refused, in words that name the first") {
  const auto message = [](const combination& how, std::vector<tensor> members) {
    const auto got = combine(how, members);
    REQUIRE(!got);
    CHECK(got.error().code() == errc::invalid_argument);
    return got.error().message();
  };
  combination how;
  const auto a = tensor::of<float>({1, 3}, {1, 2, 3});
  CHECK(message(how, {a, tensor::of<float>({3}, {1, 2, 3})}) ==
        "got float32[3], expected float32[1,3] as member 'a' gave");
  CHECK(message(how, {a, tensor::of<double>({1, 3}, {1, 2, 3})}) ==
        "got float64[1,3], expected float32[1,3] as member 'a' gave");
  CHECK(message(how, {tensor::of<bool>({1}, {true})}) ==
        "mean computes with numbers, got bool[1]; majority_vote, max and min take booleans");
  how.way = combine_way::concatenation;
  CHECK(message(how, {a, tensor::of<float>({2, 1}, {1, 2})}) ==
        "got float32[2,1], expected float32[1,3] as member 'a' gave, but for the extent of axis "
        "-1");
  CHECK(message(how, {a, tensor::of<float>({3}, {1, 2, 3})}) ==
        "got float32[3], expected float32[1,3] as member 'a' gave, but for the extent of axis -1");
  CHECK(message(how, {tensor::of<float>({}, {1})}) ==
        "shape [] has no axis -1 to concatenate along");
  how.way = combine_way::trimmed_mean;
  how.trim = 0.5;
  CHECK(make_combiner(how).error().message() ==
        "trimmed_mean cuts a share in [0, 0.5) at each end, not 0.5");
}
