#include "runtime/net/frame.hpp"
#include "tests/runtime/net/link_fixture.hpp"
#include "tests/support/raw_peer.hpp"

#include <fmt/format.h>

#include <random>
#include <thread>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

tcp_link_options quick() {
  tcp_link_options options;
  options.connect_timeout = 500ms;
  options.handshake_timeout = 500ms;
  return options;
}

/// A link still exchanges messages with a well-behaved peer.
void check_works(watched_link& link) {
  watched_link friendly;
  friendly.send(link.address(), numbered(7, message_priority::control, 100));
  CHECK(link.receive().content.kind == 7);
  CHECK(friendly.outcome());
}

std::uint16_t closed_port() {
  raw_listener listener;
  return listener.port();
}

/// Connects to `link` and is greeted.
raw_peer greeted(watched_link& link, const incarnation& id) {
  raw_peer peer(link.address().port);
  peer.send(encode(polite_hello(id)));
  const auto reply = peer.receive_hello();
  REQUIRE(reply);
  CHECK(reply->status == hello_status::welcome);
  return peer;
}

std::vector<std::byte> frame_bytes(const frame_header& header) {
  std::vector<std::byte> bytes(frame_header_bytes);
  encode(header, bytes.data());
  return bytes;
}

} // namespace

TEST_CASE("sending to a closed port fails as unavailable and names host, port and reason") {
  watched_link link;
  const auto port = closed_port();
  link.send({{1, 1}, "127.0.0.1", port}, numbered(1, message_priority::bulk, 100));
  const auto outcome = link.outcome();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::unavailable);
  CHECK(outcome.error().message() == "127.0.0.1:" + std::to_string(port) + ": Connection refused");
  check_works(link);
}

TEST_CASE("sending to a host that does not exist fails as unavailable") {
  watched_link link;
  link.send({{1, 1}, "no-such-host.invalid", 1}, numbered(1, message_priority::bulk, 100));
  const auto outcome = link.outcome();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::unavailable);
}

TEST_CASE("a peer that accepts and says nothing is given up after the connect timeout") {
  watched_link link(quick());
  raw_listener silent;
  link.send({{1, 1}, "127.0.0.1", silent.port()}, numbered(1, message_priority::bulk, 100));
  link.send({{1, 1}, "127.0.0.1", silent.port()}, numbered(2, message_priority::control, 0));
  for (int i = 0; i < 2; ++i) {
    const auto outcome = link.outcome();
    REQUIRE(!outcome);
    CHECK(outcome.error().code() == errc::unavailable);
    CHECK(outcome.error().message() == "timed out after 500 ms: waited for its hello");
  }
  check_works(link);
}

TEST_CASE("whoever connects and says nothing loses the connection, and only that") {
  watched_link link(quick());
  raw_peer silent(link.address().port);
  CHECK(silent.sees_end());
  CHECK(link.wait_problem("no hello within 500 ms").code() == errc::deadline_exceeded);
  check_works(link);
}

TEST_CASE("whoever sends rubbish loses the connection, and only that") {
  const std::uint64_t seed = 8;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  watched_link link;
  for (const std::size_t size : {std::size_t{1}, std::size_t{40}, std::size_t{5000}}) {
    raw_peer rude(link.address().port);
    std::vector<std::byte> rubbish(size + 40);
    for (auto& byte : rubbish) byte = static_cast<std::byte>(random());
    rude.send(rubbish);
    CHECK(rude.sees_end());
  }
  link.wait_problem("does not speak Shoal's protocol");
  check_works(link);
}

TEST_CASE("an acceptor refuses another version, and both sides learn both versions") {
  watched_link link;
  raw_peer old(link.address().port);
  auto greeting = polite_hello({1, 1});
  greeting.protocol = 9;
  old.send(encode(greeting));
  const auto reply = old.receive_hello();
  REQUIRE(reply);
  CHECK(reply->status == hello_status::other_version);
  CHECK(reply->token.empty());
  const auto problem = link.wait_problem("raw peer (protocol 9)");
  CHECK(problem.code() == errc::version_mismatch);
  CHECK(problem.message().find(fmt::format("(protocol {})", link_protocol_version)) !=
        std::string::npos);
  CHECK(old.sees_end());
  check_works(link);
}

TEST_CASE("an initiator that meets another version fails its sends with version_mismatch") {
  watched_link link;
  raw_listener listener;
  link.send({{1, 1}, "127.0.0.1", listener.port()}, numbered(1, message_priority::bulk, 100));
  auto old = listener.accept();
  REQUIRE(old.receive_hello());
  auto reply = polite_hello({1, 1});
  reply.protocol = 9;
  old.send(encode(reply));
  const auto outcome = link.outcome();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::version_mismatch);
  CHECK(outcome.error().message().find("raw peer (protocol 9)") != std::string::npos);
  CHECK(outcome.error().message().find(fmt::format("(protocol {})", link_protocol_version)) !=
        std::string::npos);
}

TEST_CASE("a message for an incarnation that no longer lives there fails as stale") {
  watched_link link;
  watched_link reborn;
  auto former = reborn.address();
  former.id.low ^= 1;
  link.send(former, numbered(1, message_priority::bulk, 100));
  const auto outcome = link.outcome();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::stale);
  CHECK(outcome.error().message().find(to_string(former.id)) != std::string::npos);
  CHECK(outcome.error().message().find(to_string(reborn.address().id)) != std::string::npos);
  reborn.wait_problem("is not this one");
  check_works(reborn);
}

TEST_CASE("a peer with another cluster token is refused") {
  tcp_link_options ours;
  ours.cluster_token = "reef";
  watched_link link(ours);
  watched_link stranger;
  stranger.send(link.address(), numbered(1, message_priority::bulk, 100));
  const auto outcome = stranger.outcome();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::unavailable);
  CHECK(outcome.error().message().find("wrong token") != std::string::npos);
  link.wait_problem("wrong cluster token");
}

TEST_CASE(
    "a frame too large, a wrong checksum or a fragment of nothing costs only that connection") {
  watched_link link;
  auto bad_checksum = frame_bytes({.type = frame_type::ping});
  bad_checksum[9] ^= std::byte{1};
  const std::vector<std::vector<std::byte>> attacks = {
      bad_checksum,
      frame_bytes({.type = frame_type::data,
                   .payload_bytes = max_data_payload + 1,
                   .stream = 1,
                   .body_bytes = max_data_payload + 1}),
      frame_bytes({.type = frame_type::data, .payload_bytes = 8, .stream = 1, .body_bytes = 8}),
      frame_bytes({.type = frame_type::reject, .payload_bytes = 4, .stream = 1, .payload_crc = 1}),
  };
  for (std::size_t i = 0; i < attacks.size(); ++i) {
    CAPTURE(i);
    auto rude = greeted(link, {9, i});
    rude.send(attacks[i]);
    rude.send(std::vector<std::byte>(8));
    CHECK(rude.sees_end());
    CHECK(link.wait_down(i + 1).size() == i + 1);
  }
  check_works(link);
}

TEST_CASE("a peer that leaves while nothing is under way is no problem") {
  watched_link link;
  auto leaving = greeted(link, {9, 9});
  leaving.close();
  CHECK(link.wait_down(1).front().message().find("the peer closed it") != std::string::npos);
  CHECK(link.problem_count() == 0); // it would have been told first
  check_works(link);
}

TEST_CASE("a peer that dies in the middle of a message takes only its own connection along") {
  watched_link link;
  auto dying = greeted(link, {9, 9});
  open_frame frame;
  frame.tensors.push_back({{dtype::u8, {100'000}}, tensor_encoding::plain});
  frame.body_bytes = 100'000;
  std::vector<std::byte> payload(encoded_bytes(frame));
  encode(frame, payload);
  auto header = frame_header{.type = frame_type::open,
                             .payload_bytes = static_cast<std::uint32_t>(payload.size()),
                             .stream = 1,
                             .payload_crc = 0};
  dying.send(frame_bytes(header)); // a truncated frame
  dying.send(byte_span(payload).first(10));
  dying.close();
  CHECK(link.wait_down(1).front().code() == errc::unavailable);
  link.wait_problem("lost: the peer closed it");
  check_works(link);
}

TEST_CASE("when the receiver dies in the middle of a message, all that waits for it fails") {
  watched_link link;
  raw_listener listener;
  const incarnation id{5, 5};
  constexpr int count = 5;
  for (int i = 0; i < count; ++i)
    link.send({id, "127.0.0.1", listener.port()}, numbered(1, message_priority::bulk, 32 << 20));
  auto dying = listener.accept();
  REQUIRE(dying.receive_hello());
  dying.send(encode(polite_hello(id)));
  CHECK(dying.receive(1 << 20).size() == 1 << 20);
  dying.close();
  int failed = 0;
  for (int i = 0; i < count; ++i) {
    const auto outcome = link.outcome();
    if (outcome) continue; // handed to the kernel before
    ++failed;
    CHECK(outcome.error().code() == errc::unavailable);
  }
  CHECK(failed >= 3);
  CHECK(link.wait_down(1).size() == 1);
  CHECK(link->stats().peers.empty());
  check_works(link);
}

TEST_CASE("a peer that falls silent is declared dead, whatever waits for it") {
  auto options = quick();
  options.ping_interval = 40ms;
  options.dead_after = 300ms;
  watched_link link(options);
  const incarnation id{6, 6};
  auto silent = greeted(link, id);
  CHECK(link.wait_down(1).front().message().find("no sign of life") != std::string::npos);
  CHECK(link.down_count() == 1);
}

TEST_CASE("two idle links keep each other alive with pings") {
  auto options = quick();
  options.ping_interval = 20ms;
  options.dead_after = 1500ms;
  watched_link a(options);
  options.id = incarnation::random();
  watched_link b(options);
  a.send(b.address(), numbered(1, message_priority::control, 10));
  b.receive();
  std::this_thread::sleep_for(2s); // longer than silence would be forgiven
  CHECK(a.down_count() == 0);
  CHECK(b.down_count() == 0);
  CHECK(a->stats().total.frames_sent > 5);
}
