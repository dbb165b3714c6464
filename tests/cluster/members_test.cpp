#include "tests/support/process_cluster.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <csignal>

using namespace shoal;
using namespace shoal::test;

namespace {

std::size_t count(const std::string& text, const std::string& words) {
  std::size_t found = 0;
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) ++found;
  return found;
}

} // namespace

TEST_CASE("a head logs once who joined, was lost, drained and left") {
  process_cluster cluster(2);
  const auto client = cluster.connect();
  const auto name_of = [&](int node) {
    return fmt::format("node 'node-{}' at 127.0.0.1:{}", node, cluster.node_link_port(node));
  };
  const auto first = name_of(0), second = name_of(1);
  cluster.kill_node(0, *client, 1); // while it is idle
  cluster.node(1).signal(SIGTERM);
  cluster.wait_for_nodes(*client, 0);
  cluster.wait_for_head_log(second + " has left");
  const auto log = cluster.head_log();
  CHECK(count(log, "[info] " + first + " has joined") == 1);
  CHECK(count(log, "[warning] " + first + " is lost") == 1);
  CHECK(count(log, first) == 2);
  CHECK(count(log, "[info] " + second + " has joined") == 1);
  CHECK(count(log, "[info] " + second + " finishes what it has and leaves") == 1);
  CHECK(count(log, second) == 3);
}
