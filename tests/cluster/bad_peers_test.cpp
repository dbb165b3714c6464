#include "actors/caf_error.hpp"
#include "actors/connect.hpp"
#include "actors/process.hpp"
#include "runtime/net/frame.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/process_cluster.hpp"
#include "tests/support/raw_peer.hpp"

#include <caf/binary_serializer.hpp>
#include <caf/io/basp/header.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <list>

// Whoever connects to a head or a node may say what he likes: it costs him the connection.

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

void check_serves(process_cluster& cluster) {
  CHECK(cluster.head().running());
  CHECK(cluster.node(0).running());
  const auto client = cluster.connect();
  const auto input = random_tensor({dtype::f32, {1, 3, 32, 32}}, 1, 0, 1);
  const auto loaded = client->load(source_file("apps/builtin/upscale_x2.onnx"), {});
  REQUIRE_MESSAGE(loaded, (loaded ? std::string() : to_string(loaded.error())));
  CHECK(loaded->infer({input}).get());
}

/// Greeted by the head, with the token of its cluster.
raw_peer greeted(const process_cluster& cluster) {
  raw_peer peer(cluster.link_port());
  auto greeting = polite_hello({7, 7});
  greeting.token = "shoal";
  peer.send(encode(greeting));
  const auto reply = peer.receive_hello();
  REQUIRE(reply);
  REQUIRE(reply->status == hello_status::welcome);
  return peer;
}

using basp = caf::io::basp::message_type;

/// A header of the protocol that actors speak, and what follows it.
std::vector<std::byte> control_frame(basp operation, std::uint32_t payload_bytes,
                                     std::uint64_t operation_data, std::uint64_t destination,
                                     byte_span payload = {}) {
  std::vector<char> header;
  caf::binary_serializer sink(nullptr, header);
  caf::io::basp::header fields(operation, 0, payload_bytes, operation_data, 0, destination);
  REQUIRE(!sink(fields));
  const auto bytes = std::as_bytes(std::span(header));
  std::vector<std::byte> frame(bytes.begin(), bytes.end());
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

std::vector<std::byte> control_handshake() {
  std::vector<char> content;
  caf::binary_serializer sink(nullptr, content);
  auto stranger = caf::make_node_id(7, "000102030405060708090a0b0c0d0e0f10111213");
  REQUIRE(stranger);
  REQUIRE(!sink(*stranger));
  return control_frame(basp::client_handshake, static_cast<std::uint32_t>(content.size()), 0, 0,
                       std::as_bytes(std::span(content)));
}

/// What keeps a process busy that reads it: messages within messages, as many as one may hold, one
/// for each of the first actors there are.
std::vector<std::byte> nested_messages() {
  const std::string_view shell("\0\0\x0c@<>+@message", 15);
  const std::string_view core("\0\0\x03@<>", 6);
  std::string payload(1, '\0'); // no stages
  while (payload.size() + shell.size() + core.size() <= max_message_to_head) payload += shell;
  payload += core;
  std::vector<std::byte> frames;
  for (std::uint64_t actor = 1; actor < 32; ++actor) {
    const auto frame = control_frame(
        basp::direct_message, static_cast<std::uint32_t>(payload.size()),
        caf::make_message_id().integer_value(), actor, std::as_bytes(std::span(payload)));
    frames.insert(frames.end(), frame.begin(), frame.end());
  }
  return frames;
}

/// Lets a process have 1 GiB of addresses more than it has: no room for what a bad peer may claim.
void limit_memory(child_process& who) {
  std::uint64_t pages = 0;
  std::ifstream(fmt::format("/proc/{}/statm", who.id())) >> pages;
  REQUIRE(pages > 0);
  const auto now = pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  const rlimit limit{now + (1u << 30), now + (1u << 30)};
  REQUIRE(prlimit(who.id(), RLIMIT_AS, &limit, nullptr) == 0);
}

} // namespace

TEST_CASE("rubbish on any port costs a connection, not the process") {
  process_cluster cluster(1);
  const std::string request = "GET / HTTP/1.1\r\nHost: reef\r\n\r\n" + std::string(200, 'x');
  const auto noise = random_tensor({dtype::u8, {65536}}, 9, 0, 256);
  for (const auto port : {cluster.port(), cluster.link_port(), cluster.node_link_port(0)}) {
    CAPTURE(port);
    for (const auto& bytes : {noise.bytes(), std::as_bytes(std::span(request))}) {
      raw_peer rude(port);
      rude.send(bytes);
      CHECK(rude.sees_end());
    }
  }
  cluster.wait_for_head_log("malformed: the peer does not speak Shoal's protocol");
  check_serves(cluster);
}

TEST_CASE("a frame too large costs the connection and is named") {
  process_cluster cluster(1);
  auto rude = greeted(cluster);
  std::vector<std::byte> frame(frame_header_bytes);
  encode({.type = frame_type::data,
          .payload_bytes = max_data_payload + 1,
          .stream = 1,
          .body_bytes = max_data_payload + 1},
         frame.data());
  rude.send(frame);
  CHECK(rude.sees_end());
  cluster.wait_for_head_log("malformed: frame too large");
  check_serves(cluster);
}

TEST_CASE("another version is refused at either port of the head, both versions named") {
  process_cluster cluster(1);
  raw_peer old(cluster.link_port());
  auto greeting = polite_hello({7, 7});
  greeting.protocol = 9;
  old.send(encode(greeting));
  const auto reply = old.receive_hello();
  REQUIRE(reply);
  CHECK(reply->status == hello_status::other_version);
  cluster.wait_for_head_log(
      "version mismatch: the peer runs raw peer (protocol 9), this is shoal ");

  system_config config(0, true);
  caf::actor_system system(config);
  const auto desk = system.middleman().remote_actor<front_desk_actor>("127.0.0.1", cluster.port());
  REQUIRE(desk);
  caf::scoped_actor self(system);
  std::string refusal;
  self->request(*desk, 20s, enter_atom_v, entry_ticket{"shoal 0.0.1", "node"})
      .receive([](const cluster_doors&) {},
               [&](const caf::error& e) { refusal = to_string(from_caf(e)); });
  CHECK(refusal == "version mismatch: this head runs " + software_version() +
                       ", the node that knocked runs shoal 0.0.1");
  check_serves(cluster);
}

TEST_CASE("a control message too large is not made room for, and is named") {
  process_cluster cluster(1);
  limit_memory(cluster.head());
  for (const std::uint32_t claimed : {0xffffffffu, 2u << 20}) {
    CAPTURE(claimed);
    raw_peer stranger(cluster.port());
    stranger.send(control_frame(basp::client_handshake, claimed, 0, 0));
    CHECK(stranger.sees_end());
    raw_peer polite(cluster.port());
    polite.send(control_handshake());
    polite.send(control_frame(basp::direct_message, claimed, 0, 1));
    CHECK(polite.sees_end());
    cluster.wait_for_head_log(
        fmt::format("malformed: at most 65536 bytes of a control message were "
                    "expected, {} came",
                    claimed));
  }
  check_serves(cluster);
}

TEST_CASE("a handshake of the control port without content costs the connection") {
  process_cluster cluster(1);
  for (const auto kind : {basp::client_handshake, basp::server_handshake}) {
    raw_peer rude(cluster.port());
    rude.send(control_frame(kind, 0, 1, 0));
    CHECK(rude.sees_end());
  }
  cluster.wait_for_head_log("malformed: a handshake without content");
  check_serves(cluster);
}

TEST_CASE("nobody is heard at the control port who has not introduced himself") {
  process_cluster cluster(1);
  const std::vector<std::byte> message(64);
  raw_peer rude(cluster.port());
  rude.send(control_frame(basp::direct_message, 64, 0, 1, message));
  CHECK(rude.sees_end());
  cluster.wait_for_head_log("malformed: a handshake was expected, ");
  check_serves(cluster);
}

TEST_CASE("a message for CAF's streams, which no actor of ours has, costs the connection") {
  process_cluster cluster(1);
  std::vector<char> content;
  caf::binary_serializer sink(nullptr, content);
  std::vector<caf::strong_actor_ptr> stages;
  caf::message nothing;
  REQUIRE(!sink(stages, nothing));
  const auto payload = std::as_bytes(std::span(content));
  for (const auto category :
       {caf::message_id::upstream_message_category, caf::message_id::downstream_message_category}) {
    raw_peer rude(cluster.port());
    rude.send(control_handshake());
    for (std::uint64_t actor = 1; actor < 32; ++actor)
      rude.send(control_frame(basp::direct_message, static_cast<std::uint32_t>(payload.size()),
                              category << caf::message_id::category_offset, actor, payload));
    CHECK(rude.sees_end());
  }
  cluster.wait_for_head_log("malformed: a message for a stream");
  check_serves(cluster);
}

TEST_CASE("a head survives messages within messages, as many as one may hold") {
  process_cluster cluster(1);
  raw_peer odd(cluster.port());
  odd.send(control_handshake());
  odd.send(nested_messages());
  CHECK(cluster.head_log().find("malformed") == std::string::npos);
  check_serves(cluster);
}

// CAF took a new connection for one that had ended while messages waited to be read.
TEST_CASE("who connects to a busy head as another leaves is answered") {
  process_cluster cluster(1);
  raw_peer busy(cluster.port());
  busy.send(control_handshake());
  const auto work = nested_messages();
  system_config config(0, true);
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    caf::actor_system system(config);
    busy.send(work);
    const auto doors = enter_cluster(system, "127.0.0.1", cluster.port(), "client", 5s);
    REQUIRE_MESSAGE(doors, (doors ? std::string() : to_string(doors.error())));
  }
}

TEST_CASE("those who connect to a head and stay silent make room for others") {
  process_cluster cluster(1);
  std::list<raw_peer> silent;
  for (int i = 0; i < 200; ++i) silent.emplace_back(cluster.port());
  CHECK(silent.front().sees_end());
  cluster.wait_for_head_log("it has not introduced itself, and 128 others wait");
  check_serves(cluster);
}

TEST_CASE("a head that claims too large a message is hung up on") {
  raw_listener impostor;
  system_config config(0, true);
  caf::actor_system system(config);
  auto entered = std::async(std::launch::async, [&] {
    return enter_cluster(system, "127.0.0.1", impostor.port(), "client", 20s);
  });
  impostor.accept().close(); // whoever connects looks first whether somebody is there
  auto peer = impostor.accept();
  peer.send(control_frame(basp::server_handshake, 2 << 20, 4, 0));
  CHECK(peer.sees_end());
  const auto outcome = entered.get();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::malformed);
  CHECK(outcome.error().message().find("2097152 came") != std::string::npos);
}
