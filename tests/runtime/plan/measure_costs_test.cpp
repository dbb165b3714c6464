#include "kernels/cpu/threads.hpp"
#include "runtime/plan/measure_costs.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

using namespace shoal;
using namespace shoal::test;

TEST_SUITE_BEGIN("plan");

TEST_CASE("shapes that no memory holds are refused before any is taken") {
  model_builder b("negation", 13, 1);
  const auto x = b.input("x", dtype::f32, {"H", "W"});
  b.output(b.node("Neg", {x}), "y");
  const auto model = std::make_shared<const graph>(std::move(b).build());
  for (const std::int64_t side : {1 << 19, 1 << 21}) { // 1 TiB and 16 TiB
    CAPTURE(side);
    const tensor_type image{dtype::f32, {side, side}};
    const auto costs = measure_costs(model, {&image, 1});
    REQUIRE_FALSE(costs);
    CHECK(costs.error().code() == errc::resource_exhausted);
    CHECK(costs.error().message().find("TiB") != std::string::npos);
  }
}

TEST_SUITE_END();

// libgomp counts idle threads when it decides whether those that compute may spin.
TEST_CASE("who has measured keeps no compute threads") {
  const auto threads_of_process = [] {
    const std::filesystem::directory_iterator threads("/proc/self/task");
    return std::distance(begin(threads), end(threads));
  };
  kernels::release_compute_threads();               // those of tests before
  const auto wait_for = [&](std::ptrdiff_t count) { // ended threads take a moment to go
    for (int i = 0; i < 1000 && threads_of_process() > count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return threads_of_process();
  };
  const auto before = wait_for(1);
  REQUIRE(measure_device(3, std::chrono::milliseconds(20)));
  CHECK(wait_for(before) <= before);
}
