#include "runtime/schedule/scheduler_core.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

using namespace shoal;
using namespace std::chrono_literals;

// A queueing simulation in virtual time: what the choice of executors does to latency.

namespace {

struct outcome {
  std::vector<double> latencies; ///< sorted, in seconds
  std::map<std::size_t, int> served;
  double quantile(double q) const {
    return latencies.at(static_cast<std::size_t>(q * static_cast<double>(latencies.size() - 1)));
  }
};

/// Poisson arrivals at `load` of the capacity of executors with these service times; one run in 50
/// of a stalling executor takes ten times as long.
outcome simulate(const std::vector<double>& service, double load, bool stalls, int requests,
                 std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto unit = [&] { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; };
  scheduler_core core(seed);
  stage_replicas stages(1);
  double capacity = 0;
  for (std::uint64_t e = 0; e < service.size(); ++e) {
    stages[0].push_back({{{0, e}, 0}, {service[e], 0}});
    capacity += 1 / service[e];
  }
  REQUIRE(core.set_plan("m", 1, stages));

  // A finished attempt, or (absent) the arrival of the next request.
  std::multimap<instant, std::optional<assignment>> events;
  std::vector<instant> free_at(service.size(), instant(1000s));
  std::map<std::uint64_t, instant> arrived;
  std::map<std::uint64_t, double> took;
  outcome result;
  auto now = instant(1000s);
  events.emplace(now, std::nullopt);
  std::uint64_t id = 0;
  while (!events.empty()) {
    const auto first = events.begin();
    now = first->first;
    const auto done = first->second;
    events.erase(first);
    core.expire(now);
    if (done) {
      const auto& key = done->key;
      const attempt_report report{
          attempt_outcome::success, std::nullopt, {{0, took[key.id.request], 0}}};
      REQUIRE(core.completed(key, done->attempt, report, now).verdict == report_verdict::finished);
      result.latencies.push_back(to_seconds(now - arrived[key.id.request]));
    } else if (id < static_cast<std::uint64_t>(requests)) {
      arrived[++id] = now;
      REQUIRE(core.submit({id, 1, "m", 0, now + 1h, 0}, now));
      events.emplace(now + from_seconds(-std::log(unit()) / (load * capacity)), std::nullopt);
    }
    while (const auto next = core.next_route(now)) {
      const auto executor = next->route[0];
      ++result.served[executor];
      const auto seconds = service[executor] * (stalls && unit() < 0.02 ? 10 : 1);
      took[next->key.id.request] = seconds;
      free_at[executor] = std::max(free_at[executor], now) + from_seconds(seconds);
      events.emplace(free_at[executor], *next);
    }
  }
  std::sort(result.latencies.begin(), result.latencies.end());
  return result;
}

const std::vector<double> two_fast_six_slow{0.01, 0.01, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08};

} // namespace

TEST_CASE("slow executors idle at low load and work at high load") {
  const auto low = simulate(two_fast_six_slow, 0.2, false, 5000, 1);
  const auto high = simulate(two_fast_six_slow, 0.95, false, 5000, 1);
  const auto slow = [](const outcome& run) {
    int count = 0;
    for (const auto& [executor, served] : run.served)
      if (executor >= 2) count += served;
    return count;
  };
  CHECK(slow(low) < 50);
  CHECK(slow(high) > 700);              // the fast ones alone can do 73 %
  CHECK(high.latencies.size() == 5000); // nothing was refused or lost
  CHECK(high.quantile(0.99) < 1.0);
}

TEST_CASE("late binding keeps the tail short while executors stall") {
  const auto run = simulate(two_fast_six_slow, 0.6, true, 20'000, 2);
  CHECK(run.quantile(0.99) < 0.3);
}
