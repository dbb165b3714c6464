#include "tests/support/process_cluster.hpp"
#include "tests/support/raw_peer.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <chrono>

using namespace shoal::test;
using nlohmann::json;

namespace {

const std::string upscale = source_file("apps/builtin/upscale_x2.onnx");
const std::string photo = source_file("apps/builtin/photo.png");

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("the status of a cluster shows its nodes, and what they served") {
  const process_cluster cluster(2);
  const auto before = run_shoal({"status", "--connect", cluster.address(), "--interval", "0"});
  INFO(before.err);
  REQUIRE(before.exit_code == 0);
  CHECK(before.out.starts_with("nodes: 2; parts: 0 waiting, 0 in flight, 0 finished, 0 failed\n"));
  for (const auto* name : {"node-0", "node-1", "alive"}) {
    CAPTURE(name);
    CHECK(before.out.find(name) != std::string::npos);
  }
  const auto ran = run_shoal({"infer", "--model", upscale, "--input", photo, "--stages", "2",
                              "--connect", cluster.address(), "--name", "upscale"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.err.empty());
  CHECK(ran.out.find("upscaled") != std::string::npos);
  const auto after = run_shoal({"status", "--connect", cluster.address(), "--json"});
  REQUIRE(after.exit_code == 0);
  const auto status = json::parse(after.out, nullptr, false);
  REQUIRE(status.is_object());
  CHECK(status["finished"] == 1);
  CHECK(status["parts_per_second"] == 0);
  REQUIRE(status["nodes"].size() == 2);
  std::size_t shards = 0;
  for (const auto& node : status["nodes"]) {
    shards += node["shards"].size();
    REQUIRE(node["devices"].size() == 1);
    CHECK(node["devices"][0]["threads"] == 1);
    CHECK(node["devices"][0]["busy_us"] > 0);
    CHECK(node["devices"][0]["busy_share"].is_number());
  }
  CHECK(shards == 2);
  REQUIRE(status["models"].size() == 1);
  CHECK(status["models"][0]["name"] == "upscale");
  CHECK(status["models"][0]["state"] == "ready");
}

TEST_CASE("a plan over a cluster leaves what is served alone") {
  const process_cluster cluster(1);
  const auto ran = run_shoal({"plan", "--model", upscale, "--stages", "3", "--shape", "1x3x16x16",
                              "--connect", cluster.address()});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(ran.out.find("node-0/") != std::string::npos);
  const auto status =
      run_shoal({"status", "--connect", cluster.address(), "--interval", "0", "--json"});
  CHECK(json::parse(status.out, nullptr, false)["models"].empty());
}

TEST_CASE("a model that no node has memory for is refused with how much it needs") {
  const process_cluster cluster(1, {"--memory", "1MB"});
  const auto ran =
      run_shoal({"infer", "--model", upscale, "--input", photo, "--connect", cluster.address()});
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  INFO(ran.err);
  CHECK(ran.err.find("resource exhausted") != std::string::npos);
  CHECK(ran.err.find("node-0") != std::string::npos);
}

TEST_CASE("a cluster without nodes refuses to serve") {
  const process_cluster cluster;
  const auto ran =
      run_shoal({"infer", "--model", upscale, "--input", photo, "--connect", cluster.address()});
  CHECK(ran.exit_code == 1);
  INFO(ran.err);
  CHECK(ran.err.find("no node is there to run 'upscale_x2'") != std::string::npos);
}

TEST_CASE("a port that is in use is named, whichever it is") {
  const temporary_folder folder;
  const process_cluster cluster;
  const auto refused = [&](std::uint16_t port, std::uint16_t link_port) {
    const auto second =
        run_shoal({"head", "--bind", "127.0.0.1", "--port", std::to_string(port), "--link-port",
                   std::to_string(link_port), "--no-discovery", "--cache", folder.path()},
                  std::chrono::seconds(20));
    CHECK(second.exit_code == 1);
    CHECK(second.out.empty());
    return second.err;
  };
  const auto message = [](std::uint16_t port) {
    return "shoal: i/o error: cannot listen on 127.0.0.1:" + std::to_string(port) +
           ": Address already in use\n";
  };
  CHECK(refused(cluster.port(), 0) == message(cluster.port()));
  CHECK(refused(0, cluster.link_port()) == message(cluster.link_port()));
}

namespace {

/// What `shoal status` says of such a head, within the five seconds that it may take.
std::string unreachable(const std::string& address) {
  const auto ran = run_shoal({"status", "--connect", address}, std::chrono::seconds(5));
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  return ran.err;
}

} // namespace

TEST_CASE("a head that cannot be reached is an error within five seconds") {
  CHECK(unreachable("127.0.0.1:1") ==
        "shoal: unavailable: no head can be reached: 127.0.0.1:1: Connection refused\n");
  CHECK(unreachable("no-such-host.invalid:4100").find("no-such-host.invalid:4100: no such host") !=
        std::string::npos);
  const auto node = run_shoal({"node", "--join", "127.0.0.1:1", "--once", "--no-discovery"},
                              std::chrono::seconds(5));
  CHECK(node.exit_code == 1);
  CHECK(node.err ==
        "shoal: unavailable: no head can be reached: 127.0.0.1:1: Connection refused\n");
}

TEST_CASE("what is no head is an error within five seconds, too") {
  const raw_listener silent;
  const auto address = "127.0.0.1:" + std::to_string(silent.port());
  CHECK(unreachable(address) == "shoal: unavailable: connecting to the head at " + address +
                                    ": it accepts connections, but stays silent\n");
  const process_cluster cluster;
  const auto other = "127.0.0.1:" + std::to_string(cluster.link_port());
  CHECK(unreachable(other) == "shoal: unavailable: connecting to the head at " + other +
                                  ": it hung up before it said what it is\n");
}

TEST_SUITE_END();
