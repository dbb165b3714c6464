#include "runtime/schedule/membership_table.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

const instant start = instant(1000s);

membership_table table() {
  membership_options options;
  options.version = "1.0";
  return membership_table(options);
}

node_info node(std::uint64_t id, std::string name = "alpha", std::string version = "1.0") {
  return {
      {0, id}, std::move(name), std::move(version), "10.0.0.1:7000", {{"cpu", "cpu", 1.0, 1024}}};
}

std::vector<membership_change> changes(const std::vector<membership_event>& events) {
  std::vector<membership_change> all;
  for (const auto& event : events) all.push_back(event.change);
  return all;
}

using change = membership_change;
using list = std::vector<membership_change>;

} // namespace

TEST_CASE("silence makes a node suspect at one second and lost at three") {
  auto members = table();
  CHECK(changes(*members.register_node(node(1), start)) == list{change::joined});
  CHECK(members.tick(start + 999ms).empty());
  CHECK(changes(members.tick(start + 1s)) == list{change::suspected});
  CHECK(members.state({0, 1}) == node_state::suspect);
  CHECK(members.tick(start + 2s).empty());
  CHECK(changes(*members.heartbeat({0, 1}, start + 2500ms)) == list{change::recovered});
  CHECK(members.state({0, 1}) == node_state::alive);
  CHECK(changes(members.tick(start + 4s)) == list{change::suspected});
  CHECK(changes(members.tick(start + 5500ms)) == list{change::lost});
  CHECK(members.state({0, 1}) == node_state::lost);
  CHECK(members.find({0, 1}) == nullptr);
}

TEST_CASE("the phi detector suspects earlier than the fixed bound when beats were regular") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  auto now = start;
  for (int i = 0; i < 50; ++i) REQUIRE(members.heartbeat({0, 1}, now += 250ms));
  CHECK(members.tick(now + 600ms).empty());
  CHECK(changes(members.tick(now + 900ms)) == list{change::suspected});
}

TEST_CASE("a lost incarnation is told to register again, and only a new one may") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  // Its lease is over even before a tick has noticed.
  CHECK(members.heartbeat({0, 1}, start + 3s).error().code() == errc::stale);
  members.tick(start + 3s);
  CHECK(members.heartbeat({0, 1}, start + 3s).error().code() == errc::stale);
  CHECK(members.register_node(node(1), start + 3s).error().code() == errc::stale);
  CHECK(members.register_node(node(2), start + 4s));
  CHECK(members.heartbeat({0, 2}, start + 5s));
}

TEST_CASE("a new incarnation of a name replaces the old one") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  const auto events = members.register_node(node(2), start + 1s);
  REQUIRE(events);
  CHECK(*events == std::vector<membership_event>{{change::lost, {0, 1}, "alpha"},
                                                 {change::joined, {0, 2}, "alpha"}});
  CHECK(members.nodes() == std::vector<incarnation>{{0, 2}});
  CHECK(members.heartbeat({0, 1}, start + 1s).error().code() == errc::stale);
}

TEST_CASE("registering a live incarnation again renews its lease and its devices") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  auto changed = node(1);
  changed.devices.push_back({"gpu", "cuda", 30.0, 1 << 30});
  CHECK(members.register_node(changed, start + 900ms)->empty());
  CHECK(members.find({0, 1})->devices.size() == 2);
  CHECK(members.tick(start + 1800ms).empty());
  CHECK(members.register_node(node(1, "beta"), start + 1s).error().code() ==
        errc::invalid_argument);
}

TEST_CASE("a name that restarts three times within a minute has to wait for one") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  REQUIRE(members.register_node(node(2), start + 10s));
  const auto refused = members.register_node(node(3), start + 20s);
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::resource_exhausted);
  CHECK(refused.error().message() ==
        "node alpha restarted 3 times within 60 s: it may register again in 60000 ms");
  CHECK(members.find({0, 2}) != nullptr); // a refusal touches nobody
  // Asking again with the same incarnation is no restart.
  for (int i = 0; i < 10; ++i) CHECK_FALSE(members.register_node(node(3), start + 30s));
  CHECK_FALSE(members.quarantined("alpha"));
  CHECK_FALSE(members.register_node(node(3), start + 79s));
  CHECK(members.register_node(node(3), start + 80s));
  CHECK(members.register_node(node(9, "beta"), start + 20s));
}

TEST_CASE("five restarts within a minute put a name in quarantine until it is released") {
  auto members = table();
  for (std::uint64_t i = 1; i <= 5; ++i) {
    const auto answer = members.register_node(node(i), start + i * 1s);
    CHECK(answer.has_value() == (i <= 2));
  }
  CHECK(members.quarantined("alpha"));
  members.tick(start + 1h);
  CHECK_FALSE(members.register_node(node(6), start + 2h));
  CHECK(members.release("alpha"));
  CHECK(members.register_node(node(6), start + 2h));
}

TEST_CASE("another version is refused with both versions named") {
  auto members = table();
  const auto refused = members.register_node(node(1, "alpha", "0.9"), start);
  REQUIRE(!refused);
  CHECK(refused.error().code() == errc::version_mismatch);
  CHECK(refused.error().message() == "node alpha runs version 0.9, this head runs version 1.0");
}

TEST_CASE("a draining node stays a member, is told apart, and leaves") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  CHECK(changes(*members.drain({0, 1})) == list{change::draining});
  CHECK(members.drain({0, 1})->empty());
  CHECK(members.state({0, 1}) == node_state::draining);
  CHECK(changes(members.tick(start + 1s)) == list{change::suspected});
  CHECK(changes(*members.heartbeat({0, 1}, start + 2s)) == list{change::recovered});
  CHECK(members.state({0, 1}) == node_state::draining);
  CHECK(changes(*members.leave({0, 1}, start + 2s)) == list{change::left});
  CHECK(members.size() == 0);
  CHECK(members.leave({0, 1}, start + 2s).error().code() == errc::stale);
}

TEST_CASE("a transport that saw a node end need not wait for the lease") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  CHECK(changes(members.down({0, 1}, start + 10ms)) == list{change::lost});
  CHECK(members.down({0, 1}, start + 10ms).empty());
}

TEST_CASE("texts and numbers out of bounds are refused") {
  auto members = table();
  CHECK_FALSE(members.register_node(node(1, ""), start));
  CHECK_FALSE(members.register_node(node(1, std::string(257, 'x')), start));
  auto bad = node(1);
  bad.devices.clear();
  CHECK_FALSE(members.register_node(bad, start));
  bad = node(1);
  bad.devices[0].speed = -1;
  CHECK_FALSE(members.register_node(bad, start));
  bad = node(1);
  bad.devices.assign(65, bad.devices[0]);
  CHECK_FALSE(members.register_node(bad, start));
  CHECK(members.size() == 0);
}

TEST_CASE("the cluster has a largest size") {
  membership_options options;
  options.version = "1.0";
  options.max_nodes = 2;
  membership_table members(options);
  REQUIRE(members.register_node(node(1, "a"), start));
  REQUIRE(members.register_node(node(2, "b"), start));
  CHECK(members.register_node(node(3, "c"), start).error().code() == errc::resource_exhausted);
  CHECK(members.register_node(node(4, "a"), start)); // in the place of the old one
}

TEST_CASE("flapping faster than the lease evicts nobody") {
  auto members = table();
  REQUIRE(members.register_node(node(1), start));
  int lost = 0;
  for (int i = 1; i <= 1200; ++i) { // 60 s; every other 200 ms nothing comes through
    const auto now = start + i * 50ms;
    if (i / 4 % 2 == 0 && i % 5 == 0) CHECK(members.heartbeat({0, 1}, now));
    for (const auto& event : members.tick(now)) lost += event.change == change::lost;
  }
  CHECK(lost == 0);
}
