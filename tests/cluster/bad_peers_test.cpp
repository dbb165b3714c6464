#include "actors/caf_error.hpp"
#include "actors/process.hpp"
#include "runtime/net/frame.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/process_cluster.hpp"
#include "tests/support/raw_peer.hpp"

#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <doctest/doctest.h>

#include <thread>

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

/// Waits for a line of the log with these words.
void check_log(const process_cluster& cluster, const std::string& words) {
  CAPTURE(words);
  bool found = false;
  for (int tries = 0; tries < 200 && !found; ++tries) {
    found = cluster.head_log().find(words) != std::string::npos;
    if (!found) std::this_thread::sleep_for(50ms);
  }
  CHECK(found);
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
  check_log(cluster, "malformed: the peer does not speak Shoal's protocol");
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
  check_log(cluster, "malformed: frame too large");
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
  check_log(cluster, "version mismatch: the peer runs raw peer (protocol 9), this is shoal ");

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
