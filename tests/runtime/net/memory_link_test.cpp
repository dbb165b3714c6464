#include "runtime/net/memory_link.hpp"
#include "tests/runtime/net/link_fixture.hpp"

#include <fmt/format.h>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

incarnation node(std::uint64_t number) {
  return {0, number};
}

/// A member that remembers what it is told.
struct member {
  std::vector<message> messages;
  std::vector<incarnation> down;
  std::unique_ptr<data_link> link;

  member(memory_network& network, std::uint64_t number) {
    link_handlers handlers;
    handlers.on_message = [this](const incarnation&, message&& content) {
      messages.push_back(std::move(content));
    };
    handlers.on_peer_down = [this](const incarnation& peer, const error&) { down.push_back(peer); };
    link = network.join(node(number), handlers);
  }
};

/// What happens in a network with every fault when three members chat.
std::string story(std::uint64_t seed) {
  memory_network network(seed, {0.2, 0.2, 0.3, 1ms, 50ms});
  std::string told;
  network.on_event([&](const memory_network::event& what) {
    told += fmt::format("{} {} {} {} {}\n", what.at.count(), static_cast<int>(what.kind),
                        what.from.low, what.to.low, what.message_kind);
  });
  std::vector<std::unique_ptr<member>> members;
  for (std::uint64_t i = 0; i < 3; ++i) members.push_back(std::make_unique<member>(network, i));
  for (std::uint16_t i = 0; i < 60; ++i) {
    members[i % 3]->link->send({node((i + 1) % 3), "", 0},
                               numbered(i, message_priority::control, 100), {});
    if (i % 5 == 0) network.deliver_until(network.now() + 7ms);
    if (i == 40) network.cut(node(0), node(1));
  }
  while (network.deliver_next()) {
  }
  return told;
}

} // namespace

TEST_CASE("the same seed tells the same story, another seed another one") {
  CHECK(story(1) == story(1));
  CHECK(story(1) != story(2));
}

TEST_CASE("without faults all arrives in order, and nothing before it is delivered") {
  memory_network network(1, {0, 0, 0, 1ms, 20ms});
  member a(network, 1);
  member b(network, 2);
  int completed = 0;
  for (std::uint16_t i = 0; i < 50; ++i)
    a.link->send({node(2), "", 0}, numbered(i, message_priority::bulk, 10),
                 [&](result<void> outcome) { completed += outcome.has_value() ? 1 : 0; });
  CHECK(b.messages.empty());
  CHECK(completed == 0);
  network.deliver_until(20ms);
  CHECK(completed == 50);
  REQUIRE(b.messages.size() == 50);
  for (std::uint16_t i = 0; i < 50; ++i) CHECK(b.messages[i].kind == i);
  CHECK(b.link->stats().total.messages_received == 50);
  CHECK(a.link->stats().total.messages_sent == 50);
}

TEST_CASE("drop, duplicate and reorder do what they say") {
  const auto arrivals = [](network_faults faults) {
    memory_network network(3, faults);
    member a(network, 1);
    member b(network, 2);
    for (std::uint16_t i = 0; i < 1000; ++i)
      a.link->send({node(2), "", 0}, numbered(i, message_priority::bulk, 0), {});
    while (network.deliver_next()) {
    }
    std::vector<int> kinds;
    for (const auto& content : b.messages) kinds.push_back(content.kind);
    return kinds;
  };
  const auto dropped = arrivals({.drop = 0.3});
  CHECK(dropped.size() > 600);
  CHECK(dropped.size() < 800);
  const auto duplicated = arrivals({.duplicate = 0.3});
  CHECK(duplicated.size() > 1200);
  CHECK(duplicated.size() < 1400);
  const auto reordered = arrivals({.reorder = 0.5, .min_delay = 1ms, .max_delay = 9ms});
  CHECK(reordered.size() == 1000);
  CHECK_FALSE(std::is_sorted(reordered.begin(), reordered.end()));
}

TEST_CASE("when a member dies, its peers are told once and sends to it fail") {
  memory_network network(4, {0, 0, 0, 5ms, 5ms});
  member a(network, 1);
  member b(network, 2);
  member bystander(network, 3);
  a.link->send({node(2), "", 0}, numbered(1, message_priority::bulk, 10), {});
  network.deliver_until(1ms);
  network.kill(node(2));
  while (network.deliver_next()) {
  }
  CHECK(b.messages.empty());
  CHECK(a.down == std::vector<incarnation>{node(2)});
  CHECK(bystander.down.empty());
  std::optional<error> failure;
  a.link->send({node(2), "", 0}, numbered(2, message_priority::bulk, 10),
               [&](result<void> outcome) {
                 if (!outcome) failure.emplace(outcome.error());
               });
  CHECK_FALSE(failure);
  while (network.deliver_next()) {
  }
  REQUIRE(failure);
  CHECK(failure->code() == errc::unavailable);
}

TEST_CASE("a cut loses what is under way, and heals") {
  memory_network network(5, {0, 0, 0, 5ms, 5ms});
  member a(network, 1);
  member b(network, 2);
  a.link->send({node(2), "", 0}, numbered(1, message_priority::bulk, 10), {});
  network.cut(node(1), node(2));
  while (network.deliver_next()) {
  }
  CHECK(b.messages.empty());
  CHECK(a.down.size() == 1);
  CHECK(b.down.size() == 1);
  network.heal(node(1), node(2));
  a.link->send({node(2), "", 0}, numbered(2, message_priority::bulk, 10), {});
  while (network.deliver_next()) {
  }
  CHECK(b.messages.size() == 1);
}

TEST_CASE("a full queue in memory refuses at once, as over TCP") {
  memory_network network(6);
  auto link = network.join(node(1), {}, 2);
  int refused = 0;
  for (int i = 0; i < 3; ++i)
    link->send({node(1), "", 0}, numbered(1, message_priority::bulk, 0), [&](result<void> outcome) {
      if (!outcome && outcome.error().code() == errc::resource_exhausted) ++refused;
    });
  CHECK(refused == 1);
}

TEST_CASE("a link of a network that is gone refuses, and does not crash") {
  std::unique_ptr<data_link> link;
  {
    memory_network network(7);
    link = network.join(node(1), {});
  }
  bool cancelled = false;
  link->send({node(1), "", 0}, numbered(1, message_priority::bulk, 0), [&](result<void> outcome) {
    cancelled = !outcome && outcome.error().code() == errc::cancelled;
  });
  CHECK(cancelled);
}
