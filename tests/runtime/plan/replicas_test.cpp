#include "runtime/plan/partitioner.hpp"
#include "runtime/plan/replicas.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace shoal;

namespace {

/// Four layers of these seconds, of 100 bytes of parameters each.
cost_model layers(std::initializer_list<double> seconds) {
  model_costs costs;
  for (const auto s : seconds) costs.layers.push_back({"layer", "Op", 100, 1000, s, 10});
  costs.cut_bytes.assign(seconds.size() + 1, 10);
  return *cost_model::create(std::move(costs));
}

std::vector<device_profile> devices(std::initializer_list<double> speeds) {
  std::vector<device_profile> all;
  for (const auto speed : speeds) {
    device_profile d;
    d.name = fmt::format("device-{}", all.size());
    d.speed = speed;
    d.node = d.unit = all.size();
    all.push_back(std::move(d));
  }
  return all;
}

execution_plan plan_of(const cost_model& model, const std::vector<device_profile>& over,
                       std::size_t stages) {
  partition_options options;
  options.stages = stages;
  auto plan = partition(model, over, {}, options);
  REQUIRE_MESSAGE(plan, (plan ? std::string() : plan.error().message()));
  return *std::move(plan);
}

} // namespace

TEST_CASE("devices without a stage get one of their own whole model") {
  const auto model = layers({1, 1, 1, 1});
  const auto over = devices({1, 1, 2});
  auto plan = plan_of(model, over, 1);
  REQUIRE(plan.idle.size() == 2);
  add_replicas(plan, model, over);
  CHECK(plan.idle.empty());
  REQUIRE(plan.replicas.size() == 2);
  for (const auto& replica : plan.replicas) CHECK(replica.expected_seconds == doctest::Approx(4));
  CHECK(plan.devices_used() == 3);
  // One request in 2 s on the fastest, in 4 s on each of the others.
  CHECK(plan.bottleneck_s == doctest::Approx(1));
}

TEST_CASE("the stage that has most to do gets the replicas first") {
  const auto model = layers({1, 1, 1, 6});
  const auto over = devices({1, 1, 1, 1});
  auto plan = plan_of(model, over, 2);
  add_replicas(plan, model, over);
  REQUIRE(plan.replicas.size() == 2);
  // 3 s and 6 s; then 3 s twice: the first of the two.
  CHECK(plan.replicas[0].stage == 1);
  CHECK(plan.replicas[1].stage == 0);
  CHECK(plan.bottleneck_s == doctest::Approx(3));
}

TEST_CASE("what does not fit a device's memory is no replica on it") {
  const auto model = layers({1, 1, 1, 1});
  auto over = devices({2, 1});
  over[1].memory_bytes = 200;
  auto plan = plan_of(model, over, 1);
  add_replicas(plan, model, over);
  CHECK(plan.replicas.empty());
  REQUIRE(plan.idle.size() == 1);
  CHECK(plan.idle[0].reason == idle_reason::memory);
  CHECK(plan.bottleneck_s == doctest::Approx(2));
}
