#include "runtime/plan/cost_model.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <random>

using namespace shoal;

namespace {

model_costs random_costs(std::size_t layers, std::mt19937_64& random) {
  model_costs costs;
  for (std::size_t i = 0; i < layers; ++i)
    costs.layers.push_back({fmt::format("l{}", i), "Conv", random() % 1000, random() % 1000,
                            static_cast<double>(random() % 1000) * 1e-3, random() % 1000});
  for (std::size_t i = 0; i <= layers; ++i) costs.cut_bytes.push_back(random() % 1000);
  return costs;
}

} // namespace

TEST_CASE("every segment costs what its layers cost together") {
  std::mt19937_64 random(11);
  for (const std::size_t layers : {1, 2, 3, 7, 8, 33}) {
    const auto costs = random_costs(layers, random);
    const auto model = cost_model::create(costs);
    REQUIRE(model);
    for (std::size_t first = 0; first <= layers; ++first)
      for (std::size_t last = first; last <= layers; ++last) {
        segment_cost sum;
        for (auto i = first; i < last; ++i) {
          sum.seconds += costs.layers[i].seconds;
          sum.parameter_bytes += costs.layers[i].parameter_bytes;
          sum.flops += costs.layers[i].flops;
          sum.activation_bytes = std::max(sum.activation_bytes, costs.layers[i].activation_bytes);
        }
        const auto segment = model->segment(first, last);
        CHECK(segment.seconds == doctest::Approx(sum.seconds));
        CHECK(segment.parameter_bytes == sum.parameter_bytes);
        CHECK(segment.flops == sum.flops);
        CHECK(segment.activation_bytes == sum.activation_bytes);
      }
  }
}

TEST_CASE("forbidden cuts are left out, the ends never are") {
  std::mt19937_64 random(12);
  auto costs = random_costs(4, random);
  CHECK(cost_model::create(costs)->cuts() == std::vector<std::size_t>{0, 1, 2, 3, 4});
  costs.cut_forbidden = {true, false, true, false, true};
  CHECK(cost_model::create(costs)->cuts() == std::vector<std::size_t>{0, 1, 3, 4});
}

TEST_CASE("costs that contradict themselves are refused") {
  std::mt19937_64 random(13);
  const auto good = random_costs(3, random);
  const auto code = [](const model_costs& costs) {
    return cost_model::create(costs).error().code();
  };
  CHECK(code({}) == errc::invalid_argument);
  auto bad = good;
  bad.cut_bytes.pop_back();
  CHECK(code(bad) == errc::invalid_argument);
  bad = good;
  bad.cut_forbidden = {true};
  CHECK(code(bad) == errc::invalid_argument);
  bad = good;
  bad.layers[1].seconds = std::numeric_limits<double>::quiet_NaN();
  CHECK(code(bad) == errc::invalid_argument);
  bad = good;
  bad.layers[1].parameter_bytes = std::numeric_limits<std::uint64_t>::max();
  CHECK(code(bad) == errc::invalid_argument);
  bad = good;
  bad.cut_bytes[2] = std::numeric_limits<std::uint64_t>::max();
  CHECK(code(bad) == errc::invalid_argument);
  CHECK(code(random_costs(cost_model::max_layers + 1, random)) == errc::resource_exhausted);
}
