#include "actors/device_thread.hpp"
#include "actors/interfaces.hpp"
#include "actors/process.hpp"
#include "actors/stage_program.hpp"
#include "tests/support/model_builder.hpp"

#include <caf/all.hpp>
#include <doctest/doctest.h>

#include <future>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

/// Takes finished parts and tells by number in which order they came.
struct finish_line {
  std::vector<std::uint32_t> order;
  std::size_t expected = 0;
  std::promise<void> complete;
};

shard_actor::behavior_type collector(std::shared_ptr<finish_line> line) {
  return {[](part_atom, part_ptr&) {},
          [line](done_atom, part_ptr& p) {
            CHECK_FALSE(p->failure);
            line->order.push_back(p->name.part);
            if (line->order.size() == line->expected) line->complete.set_value();
          }};
}

} // namespace

TEST_CASE("a device runs jobs first, then the part with the earliest deadline") {
  const std::vector<int> deadlines_s = {30, 10, 40, 20};
  system_config config(1, false);
  caf::actor_system system(config);
  auto line = std::make_shared<finish_line>();
  line->expected = deadlines_s.size();
  auto complete = line->complete.get_future();
  model_builder m("relu", 17, 3);
  m.output(m.node("Relu", {m.input("x", dtype::f32, {2})}), "y");
  auto program = std::make_shared<stage_program>(
      stage_name{"relu", 1, 0}, std::make_shared<const graph>(std::move(m).build()),
      session_options{});
  std::promise<void> begun, go_on;
  std::atomic<bool> job_was_first = false;
  {
    device_thread device;
    device.post([&](workspace&) {
      begun.set_value();
      go_on.get_future().wait_for(30s);
    });
    begun.get_future().wait();
    const auto owner = system.spawn(collector, line);
    const auto now = std::chrono::steady_clock::now();
    for (std::uint32_t i = 0; i < deadlines_s.size(); ++i) {
      auto p = std::make_shared<part>();
      p->name.part = i;
      p->arrived = now;
      p->deadline = now + std::chrono::hours(1) + std::chrono::seconds(deadlines_s[i]);
      p->values = {tensor::of<float>({2}, {-1, 1})};
      p->trace.push_back({});
      p->program = program;
      p->shard = caf::actor_cast<caf::actor>(owner);
      device.post(std::move(p));
    }
    device.post([&](workspace&) { job_was_first = program.use_count() == 5; });
    go_on.set_value();
    REQUIRE(complete.wait_for(30s) == std::future_status::ready);
  }
  CHECK(job_was_first);
  CHECK(line->order == std::vector<std::uint32_t>{1, 3, 0, 2});
}
