#include "tests/runtime/net/link_fixture.hpp"

#include <map>
#include <thread>

using namespace shoal;
using namespace shoal::test;

TEST_CASE("two links exchange thousands of random messages in both directions, bit for bit") {
  const std::uint64_t seed = 20240607;
  CAPTURE(seed);
  watched_link a;
  watched_link b;
  constexpr int count = 2000;
  std::map<std::uint16_t, message> expected[2];
  for (int side = 0; side < 2; ++side) {
    std::mt19937_64 random(seed + static_cast<std::uint64_t>(side));
    for (int i = 0; i < count; ++i) {
      // most are small, a few have megabytes
      const std::size_t most = std::size_t{1} << (i % 100 == 0 ? 23 : random() % 17);
      auto content = random_message(random, most);
      content.kind = static_cast<std::uint16_t>(i); // they may overtake each other
      expected[side].emplace(content.kind, content);
      (side == 0 ? a : b).send((side == 0 ? b : a).address(), std::move(content));
    }
  }
  for (int side = 0; side < 2; ++side) {
    auto& receiver = side == 0 ? b : a;
    auto& sender = side == 0 ? a : b;
    for (int i = 0; i < count; ++i) {
      const auto got = receiver.receive();
      CHECK(got.from == sender.address().id);
      const auto wanted = expected[side].find(got.content.kind);
      REQUIRE(wanted != expected[side].end());
      CHECK(identical(got.content, wanted->second));
      expected[side].erase(wanted);
      CHECK(sender.outcome());
    }
    CHECK(expected[side].empty());
  }
  CHECK(a->stats().peers.size() == 1);
  CHECK(a->stats().total.messages_received == count);
}

TEST_CASE("two links that connect to each other at once end with one connection and lose nothing") {
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    watched_link a;
    watched_link b;
    constexpr int count = 10;
    std::thread other([&] {
      for (int i = 0; i < count; ++i)
        b.send(a.address(), numbered(static_cast<std::uint16_t>(i), message_priority::bulk, 5000));
    });
    for (int i = 0; i < count; ++i)
      a.send(b.address(), numbered(static_cast<std::uint16_t>(i), message_priority::bulk, 5000));
    other.join();
    for (int i = 0; i < count; ++i) {
      CHECK(a.receive().content.kind == i);
      CHECK(b.receive().content.kind == i);
      CHECK(a.outcome());
      CHECK(b.outcome());
    }
    CHECK(a.down_count() == 0);
    CHECK(b.down_count() == 0);
    CHECK(a->stats().peers.size() == 1);
    CHECK(b->stats().peers.size() == 1);
  }
}

TEST_CASE("a reply goes back over the connection the request came by") {
  watched_link server;
  watched_link client;
  server.on_arrival = [&](const incarnation& from, const message& content) {
    server->send({from, "", 0}, content, {}); // no address: only the connection is left
  };
  const auto request = numbered(3, message_priority::interactive, 100'000);
  client.send(server.address(), request);
  CHECK(identical(client.receive().content, request));
}

TEST_CASE("one link serves many peers, and the loss of one leaves the others alone") {
  watched_link hub;
  std::vector<std::unique_ptr<watched_link>> leaves;
  for (int i = 0; i < 8; ++i) leaves.push_back(std::make_unique<watched_link>());
  for (auto& leaf : leaves) leaf->send(hub.address(), numbered(1, message_priority::bulk, 50'000));
  for (std::size_t i = 0; i < leaves.size(); ++i) hub.receive();
  CHECK(hub->stats().peers.size() == 8);
  leaves.erase(leaves.begin() + 3);
  hub.wait_down(1);
  for (auto& leaf : leaves) {
    hub.send(leaf->address(), numbered(2, message_priority::bulk, 50'000));
    CHECK(leaf->receive().content.kind == 2);
    CHECK(hub.outcome());
  }
  CHECK(hub.down_count() == 1);
  const auto stats = hub->stats();
  CHECK(stats.peers.size() == 7);
  CHECK(stats.total.messages_received == 8);
  CHECK(stats.total.bytes_received > 8 * 50'000);
}

TEST_CASE("fp16 and zstd are the sender's choice, and every receiver understands them") {
  for (const bool fp16 : {false, true})
    for (const bool zstd : {false, true}) {
      CAPTURE(fp16);
      CAPTURE(zstd);
      tcp_link_options options;
      options.codec = {fp16, zstd};
      watched_link sender(options);
      watched_link receiver;
      std::vector<float> floats(300'001);
      for (std::size_t i = 0; i < floats.size(); ++i) floats[i] = static_cast<float>(i % 100) / 4;
      message content;
      content.tensors.push_back(tensor::of<float>({300'001}, std::span<const float>(floats)));
      content.tensors.push_back(tensor::of<std::int64_t>({3}, {1, 2, 3}));
      content.tensors.push_back(random_bytes(1'000'000, 1)); // does not shrink
      sender.send(receiver.address(), content);
      CHECK(identical(receiver.receive().content, content)); // quarters are exact in binary16
      CHECK(sender.outcome());
      const std::uint64_t body = (fp16 ? 600'002 : 1'200'004) + 24 + 1'000'000;
      auto sent = sender->stats().total.bytes_sent;
      // A message is told to be sent, and counted a moment later.
      for (int tries = 0; !zstd && sent < body && tries < 1000; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        sent = sender->stats().total.bytes_sent;
      }
      if (zstd)
        CHECK(sent < 1'200'000);
      else
        CHECK((sent >= body && sent < body + 2000));
    }
}
