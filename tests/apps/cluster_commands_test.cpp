#include "tests/support/paths.hpp"
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
  const temporary_folder folder;
  const command_cluster cluster(folder.path(), 2);
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

TEST_CASE("a head that was killed can be started again at once, and its nodes come back") {
  const temporary_folder folder;
  command_cluster cluster(folder.path());
  const auto node = shoal::child_process::start(SHOAL_COMMAND,
                                                {"node", "--bind", "127.0.0.1", "--join",
                                                 cluster.address(), "--no-discovery", "--threads",
                                                 "1", "--cache", (folder.path() / "node").string()},
                                                {}, folder.path() / "node.err");
  REQUIRE(node);
  cluster.wait_for_nodes(1);
  cluster.replace_head();
  cluster.wait_for_nodes(1);
}

TEST_CASE("a plan over a cluster leaves what is served alone") {
  const temporary_folder folder;
  const command_cluster cluster(folder.path(), 1);
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
  const temporary_folder folder;
  const command_cluster cluster(folder.path(), 1, {"--memory", "1MB"});
  const auto ran =
      run_shoal({"infer", "--model", upscale, "--input", photo, "--connect", cluster.address()});
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  INFO(ran.err);
  CHECK(ran.err.find("resource exhausted") != std::string::npos);
  CHECK(ran.err.find("node-0") != std::string::npos);
}

TEST_CASE("a cluster without nodes refuses to serve") {
  const temporary_folder folder;
  const command_cluster cluster(folder.path());
  const auto ran =
      run_shoal({"infer", "--model", upscale, "--input", photo, "--connect", cluster.address()});
  CHECK(ran.exit_code == 1);
  INFO(ran.err);
  CHECK(ran.err.find("no node is there to run 'upscale_x2'") != std::string::npos);
}

TEST_CASE("a port that is in use is named") {
  const temporary_folder folder;
  const command_cluster cluster(folder.path());
  const auto second =
      run_shoal({"head", "--bind", "127.0.0.1", "--port", std::to_string(cluster.port()),
                 "--no-discovery", "--cache", folder.path() / "second"},
                std::chrono::seconds(20));
  CHECK(second.exit_code == 1);
  CHECK(second.out.empty());
  INFO(second.err);
  CHECK(second.err.find(std::to_string(cluster.port())) != std::string::npos);
}

TEST_CASE("a head that cannot be reached is an error within five seconds") {
  const auto begin = std::chrono::steady_clock::now();
  const auto ran = run_shoal({"status", "--connect", "127.0.0.1:1"}, std::chrono::seconds(5));
  INFO(ran.err);
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err.find("127.0.0.1:1") != std::string::npos);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(6));
}

TEST_SUITE_END();
