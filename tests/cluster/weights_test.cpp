#include "runtime/store/chunk_folder.hpp"
#include "runtime/store/chunk_source.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/process_cluster.hpp"
#include "tests/support/stalling_proxy.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <map>
#include <thread>

// What travels to the nodes' caches, and what does not.

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t layers = 24;
/// What comes over the network besides chunks of weights: the package, requests, a small input.
constexpr std::uint64_t small_change = 256 << 10;

/// A chain of products whose weights are one full chunk each.
std::shared_ptr<const graph> chain() {
  constexpr std::int64_t width = 512;
  static_assert(width * width * sizeof(float) == chunk_bytes);
  model_builder b("chain", 13, 5);
  auto x = b.input("x", dtype::f32, {1, width});
  for (std::size_t i = 0; i < layers; ++i)
    x = b.node("MatMul", {x, b.random({width, width}, 0.04F)});
  b.output(x, "y");
  return std::make_shared<const graph>(std::move(b).build());
}

tensor example() {
  return random_tensor({dtype::f32, {1, 512}}, 3);
}

result<model> load_chain(runtime& where, std::uint32_t stages) {
  load_options options;
  options.name = "chain";
  options.stages = stages;
  options.inputs = {example().type()};
  options.timeout = 2min;
  return where.load(chain(), options);
}

tensor answer_of(const result<model>& loaded) {
  REQUIRE_MESSAGE(loaded, (loaded ? std::string() : to_string(loaded.error())));
  auto answer = loaded->infer({example()}).get();
  REQUIRE_MESSAGE(answer, (answer ? std::string() : to_string(answer.error())));
  return answer->outputs.at(0);
}

tensor alone() {
  auto here = runtime::embedded({.executors = 1, .threads_per_executor = 1});
  REQUIRE(here);
  return answer_of(load_chain(**here, 1));
}

void check_right(const result<model>& loaded) {
  static const auto expected = alone();
  const auto got = answer_of(loaded);
  CHECK(identical(got, expected));
}

/// What the only node has received in its present life. It tells with its heartbeats: waits for
/// one that knows of the request made last, which came after the weights.
std::uint64_t received_by_node(runtime& client) {
  for (int tries = 0; tries < 600; ++tries) {
    const auto now = client.status();
    REQUIRE(now);
    REQUIRE(now->nodes.size() == 1);
    for (const auto& shard : now->nodes[0].shards)
      if (shard.parts_done > 0) return now->nodes[0].bytes_received;
    std::this_thread::sleep_for(50ms);
  }
  FAIL("the node's heartbeats do not tell of the request");
  return 0;
}

std::map<digest, std::uint64_t> chunks_in(const fs::path& cache) {
  std::map<digest, std::uint64_t> found;
  if (!fs::exists(cache)) return found;
  const auto chunks = scan_chunks(cache);
  REQUIRE(chunks);
  for (const auto& chunk : *chunks) found[chunk.name] = chunk.bytes;
  return found;
}

/// Chunks of weights, the packages left out.
std::size_t full_chunks_in(const fs::path& cache) {
  std::size_t count = 0;
  for (const auto& [name, bytes] : chunks_in(cache)) count += bytes == chunk_bytes ? 1 : 0;
  return count;
}

void flip_a_byte(const fs::path& file) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  const auto middle = static_cast<std::streamoff>(fs::file_size(file) / 2);
  stream.seekg(middle);
  const int byte = stream.get();
  stream.seekp(middle);
  stream.put(static_cast<char>(byte ^ 1));
  REQUIRE(stream.good());
}

void start_again(process_cluster& cluster, runtime& client) {
  cluster.start_node(0);
  cluster.wait_for_nodes(client, 1);
}

} // namespace

TEST_CASE("nodes fetch the weights of their own stages, and no others") {
  process_cluster cluster(3);
  const auto client = cluster.connect();
  check_right(load_chain(*client, 3));
  std::map<digest, int> holders;
  for (int n = 0; n < 3; ++n) {
    CHECK(full_chunks_in(cluster.cache_of(n)) > 0);
    for (const auto& [name, bytes] : chunks_in(cluster.cache_of(n)))
      if (bytes == chunk_bytes) ++holders[name];
  }
  CHECK(holders.size() == layers);
  for (const auto& [name, count] : holders) CHECK(count == 1);
}

TEST_CASE("a transfer that is killed half way goes on where it was when the node starts again") {
  constexpr std::uint64_t half = layers / 2 * chunk_bytes;
  // Nodes are told an address of the head's where a proxy listens.
  process_cluster cluster(0, {}, {"--advertise", "127.0.0.2"});
  stalling_proxy proxy("127.0.0.2", cluster.link_port(), half);
  const auto client = cluster.connect();
  start_again(cluster, *client);
  auto loading = std::async(std::launch::async, [&] { return load_chain(*client, 1); });
  const auto cache = cluster.cache_of(0);
  for (int tries = 0; tries < 1200 && full_chunks_in(cache) < layers / 3; ++tries)
    std::this_thread::sleep_for(50ms);
  cluster.kill_node(0, *client, 0);
  const auto kept = full_chunks_in(cache);
  CHECK(kept >= layers / 3);
  CHECK(kept < layers / 2);
  const auto interrupted = loading.get();
  REQUIRE_FALSE(interrupted);
  CHECK(to_string(interrupted.error()).find("no node is there to run 'chain'") !=
        std::string::npos);
  proxy.open();
  start_again(cluster, *client);
  check_right(load_chain(*client, 1));
  CHECK(full_chunks_in(cache) == layers);
  const auto received = received_by_node(*client);
  CHECK(received > (layers - kept) * chunk_bytes);
  CHECK(received < (layers - kept) * chunk_bytes + small_change);
}

TEST_CASE("corrupt chunks in a node's cache are fetched again, and nothing else") {
  process_cluster cluster(1);
  const auto client = cluster.connect();
  check_right(load_chain(*client, 1));
  CHECK(received_by_node(*client) > layers * chunk_bytes);
  cluster.kill_node(0, *client, 0);

  const auto cache = cluster.cache_of(0);
  std::size_t corrupt = 0;
  for (const auto& [name, bytes] : chunks_in(cache))
    if (bytes != chunk_bytes || corrupt < 3) { // the package, too
      flip_a_byte(chunk_path(cache, name));
      corrupt += bytes == chunk_bytes ? 1 : 0;
    }
  REQUIRE(corrupt == 3);
  start_again(cluster, *client);
  check_right(load_chain(*client, 1));
  const auto received = received_by_node(*client);
  CHECK(received > corrupt * chunk_bytes);
  CHECK(received < corrupt * chunk_bytes + small_change);

  cluster.kill_node(0, *client, 0);
  start_again(cluster, *client);
  check_right(load_chain(*client, 1));
  CHECK(received_by_node(*client) < small_change);
}

TEST_CASE("a head whose cache is corrupt asks the client again") {
  process_cluster cluster(1);
  check_right(load_chain(*cluster.connect(), 1));
  for (const auto& [name, bytes] : chunks_in(cluster.head_cache()))
    flip_a_byte(chunk_path(cluster.head_cache(), name));
  cluster.restart_head();
  const auto client = cluster.connect();
  cluster.wait_for_nodes(*client, 1);
  check_right(load_chain(*client, 1));
  CHECK(full_chunks_in(cluster.head_cache()) == layers);
}
