#include "actors/planning.hpp"
#include "actors/value_specs.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// Sixteen products that cost the same.
std::shared_ptr<const graph> chain() {
  model_builder b("chain", 13, 1);
  auto x = b.input("x", dtype::f32, {64, 256});
  for (int i = 0; i < 16; ++i) x = b.node("MatMul", {x, b.random({256, 256}, 0.05f)});
  b.output(x, "y");
  return std::make_shared<const graph>(std::move(b).build());
}

/// Two nodes of another machine, of one device each, equally fast by what they say.
planning_task two_nodes() {
  planning_task task;
  task.model = chain();
  task.title = task.order.name = "chain";
  task.order.stages = 2;
  const std::vector<tensor_type> input{{dtype::f32, {64, 256}}};
  task.order.inputs = describe_values(*task.model, task.model->inputs(), input);
  task.head.host = "head";
  task.reference_flops_per_second = 1e9;
  task.pack = false;
  for (std::uint64_t i = 1; i <= 2; ++i) {
    node_offer node;
    node.process = {{0, i}, "other", 1};
    node.name = fmt::format("node-{}", i);
    device_offer device;
    device.name = "cpu0";
    device.kind = "cpu";
    device.flops_per_second = 1'000'000'000;
    device.memory_bytes = std::uint64_t{1} << 30;
    node.devices.push_back(device);
    task.nodes.push_back(node);
  }
  return task;
}

struct share {
  std::size_t layers = 0;
  double expected = 0, claimed = 0;
};

/// By node.
std::vector<share> plan(const planning_task& task) {
  memory_chunk_source memory;
  stage_library library;
  const auto made = make_plan(task, memory, library);
  REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
  std::vector<share> shares(task.nodes.size());
  for (std::size_t i = 0; i < made->stages.size(); ++i) {
    const auto& stage = made->plan.stages[i];
    shares[made->stages[i].node] = {stage.last_layer - stage.first_layer, stage.expected_seconds,
                                    made->stages[i].claimed_seconds};
  }
  return shares;
}

} // namespace

TEST_SUITE_BEGIN("actors");

TEST_CASE("a device that has turned out to be slow gets less") {
  auto task = two_nodes();
  const auto before = plan(task);
  CHECK(before[0].layers + before[1].layers == 16);
  CHECK(before[1].layers >= 5);
  CHECK(before[1].claimed == doctest::Approx(before[1].expected));
  task.slowness[{task.nodes[1].process.id, 0}] = 7;
  const auto after = plan(task);
  CHECK(after[0].layers + after[1].layers == 16);
  CHECK(after[1].layers < before[1].layers);
  CHECK(after[1].layers <= 4);
  CHECK(after[1].claimed == doctest::Approx(after[1].expected / 7));
  CHECK(after[0].claimed == doctest::Approx(after[0].expected));
}

TEST_SUITE_END();
