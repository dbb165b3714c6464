#include "apps/command/device_use.hpp"
#include "apps/command/status_view.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using std::chrono::milliseconds;

namespace {

/// One node with one device and one shard, as its last heartbeat told, `silent_ms` ago.
cluster_look look(milliseconds at, std::uint64_t silent_ms, std::uint64_t busy_us,
                  std::uint64_t parts) {
  cluster_look l;
  l.at = std::chrono::steady_clock::time_point(std::chrono::hours(1)) + at;
  node_summary node;
  node.id = {7, 9};
  node.name = "one";
  node.state = "alive";
  node.silent_ms = silent_ms;
  node.devices = {{"cpu0", 1'000'000'000, 1 << 30, 2, 0, busy_us}};
  node.shards = {{"m", 3, 0, 0, parts, busy_us}};
  l.summary.nodes = {node};
  l.summary.finished = parts;
  return l;
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("the busy share counts from report to report, not from look to look") {
  // Reports 1000 ms apart (from 900 to 1900), looks 1200 ms apart.
  const auto before = look(milliseconds(1000), 100, 50'000, 10);
  const auto after = look(milliseconds(2200), 300, 550'000, 40);
  const auto share = busy_share(before, after, after.summary.nodes[0], 0);
  REQUIRE(share);
  CHECK(*share == doctest::Approx(0.5));
  CHECK(parts_per_second(before, after) == doctest::Approx(30 / 1.2));
}

TEST_CASE("nothing is made up where rates cannot be told") {
  const auto before = look(milliseconds(1000), 100, 50'000, 10);
  const auto same_report = look(milliseconds(1100), 200, 50'000, 10);
  CHECK_FALSE(busy_share(before, same_report, same_report.summary.nodes[0], 0));
  auto restarted = look(milliseconds(2000), 0, 10, 1);
  CHECK_FALSE(busy_share(before, restarted, restarted.summary.nodes[0], 0));
  CHECK(parts_per_second(before, restarted) == 0);
  restarted.summary.nodes[0].id = {8, 8};
  CHECK_FALSE(busy_share(before, restarted, restarted.summary.nodes[0], 0));
  CHECK_FALSE(busy_share(before, restarted, restarted.summary.nodes[0], 5));
}

TEST_CASE("tables show a look with and without rates") {
  const auto before = look(milliseconds(1000), 0, 0, 10);
  const auto after = look(milliseconds(3000), 0, 500'000, 40);
  const auto first = status_tables(before, nullptr);
  CHECK(first.starts_with("nodes: 1; parts: 0 waiting, 0 in flight, 10 finished, 0 failed\n"));
  const auto second = status_tables(after, &before);
  CHECK(second.find("40 finished, 0 failed, 15.0 per second") != std::string::npos);
  CHECK(second.find("25 %") != std::string::npos);
  const auto at = second.find("parts/s");
  REQUIRE(at != std::string::npos);
  CHECK(second.find("15.0", at) != std::string::npos);
}

TEST_CASE("a name that is no UTF-8 does not spoil the JSON") {
  auto odd = look(milliseconds(0), 0, 0, 0);
  odd.summary.nodes[0].name = "\xff\xfe";
  const auto text = status_json(odd, nullptr);
  CHECK(text.find("\"nodes\"") != std::string::npos);
  CHECK(text.find("\"busy_share\":null") != std::string::npos);
  CHECK(text.back() == '\n');
}

TEST_SUITE_END();
