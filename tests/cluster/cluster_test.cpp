#include "runtime/graph/onnx_import.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/process_cluster.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<const graph> builtin_graph() {
  auto imported = import_onnx_file(source_file("apps/builtin/upscale_x2.onnx"));
  REQUIRE(imported);
  return imported->model;
}

tensor photo(std::int64_t size, std::uint64_t seed = 1) {
  return random_tensor({dtype::f32, {1, 3, size, size}}, seed, 0, 1);
}

model load(runtime& where, std::uint32_t stages, const tensor& example) {
  load_options options;
  options.name = "upscale";
  options.stages = stages;
  options.inputs = {example.type()};
  auto loaded = where.load(builtin_graph(), options);
  if (!loaded) FAIL(to_string(loaded.error()));
  return *loaded;
}

tensor alone(const tensor& input) {
  auto here = runtime::embedded({.executors = 1, .threads_per_executor = 1});
  REQUIRE(here);
  auto answer = load(**here, 1, input).infer({input}).get();
  REQUIRE(answer);
  return answer->outputs[0];
}

/// Repeats a request until it succeeds, for half a minute at most.
result<inference> infer_at_last(const model& m, const tensor& input) {
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  for (;;) {
    auto answer = m.infer({input}, {.timeout = 10s}).get();
    if (answer || std::chrono::steady_clock::now() > deadline) return answer;
    std::this_thread::sleep_for(200ms);
  }
}

} // namespace

TEST_CASE("a model that is served is planned anew for who wants it tuned, or not") {
  const temporary_folder folder;
  const scoped_variable cache("XDG_CACHE_HOME", folder.path()); // of the head that is started
  process_cluster cluster(1);
  auto client = cluster.connect();
  load_options options{.name = "upscale", .inputs = {photo(48).type()}};
  const auto tuned = folder.path() / "shoal" / "tuning";
  for (const bool tune : {false, false, true}) {
    CAPTURE(tune);
    options.tune = tune;
    const auto loaded = client->load(builtin_graph(), options);
    if (!loaded) FAIL(to_string(loaded.error()));
    CHECK(std::filesystem::exists(tuned) == tune);
  }
}

TEST_CASE("three processes compute what one does, byte for byte") {
  process_cluster cluster(3);
  auto client = cluster.connect();
  const auto input = photo(96);
  const auto expected = alone(input);
  for (const std::uint32_t stages : {2u, 3u, 5u}) {
    CAPTURE(stages);
    auto answer = load(*client, stages, input).infer({input}).get();
    if (!answer) FAIL(to_string(answer.error()));
    CHECK(answer->parts[0].size() == stages);
    CHECK(identical(answer->outputs[0], expected));
  }
}

TEST_CASE("when a node is killed under load every request ends, and the others take over") {
  process_cluster cluster(3);
  auto client = cluster.connect();
  const auto input = photo(64);
  const auto expected = alone(input);
  const auto m = load(*client, 3, input);
  constexpr int requests = 60;
  std::vector<std::future<result<inference>>> pending;
  for (int i = 0; i < requests; ++i) {
    pending.push_back(m.infer({input}, {.timeout = 30s}));
    if (i == requests / 3) cluster.node(1).signal(SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
  int right = 0;
  for (auto& p : pending) {
    REQUIRE(p.wait_for(40s) == std::future_status::ready);
    const auto outcome = p.get();
    if (!outcome) {
      MESSAGE(to_string(outcome.error()));
      continue;
    }
    CHECK(identical(outcome->outputs[0], expected));
    ++right;
  }
  CHECK(right == requests); // nothing is lost: what was under way is sent again
  CHECK(client->status()->nodes.size() == 2);
}

TEST_CASE("a frozen node is replaced, and what it says later is not believed") {
  process_cluster cluster(2);
  auto client = cluster.connect();
  const auto input = photo(64);
  const auto expected = alone(input);
  const auto m = load(*client, 2, input);
  cluster.node(0).signal(SIGSTOP);
  const auto answer = infer_at_last(m, input);
  cluster.node(0).signal(SIGCONT);
  if (!answer) FAIL(to_string(answer.error()));
  CHECK(identical(answer->outputs[0], expected));
  cluster.wait_for_nodes(*client, 2); // it comes back under a new incarnation
  const auto later = infer_at_last(m, input);
  REQUIRE(later);
  CHECK(identical(later->outputs[0], expected));
}

TEST_CASE("a head that is started again at its port is found by its nodes, and serves anew") {
  process_cluster cluster(1);
  const auto input = photo(32);
  CHECK(infer_at_last(load(*cluster.connect(), 1, input), input));
  cluster.restart_head();
  const auto client = cluster.connect();
  cluster.wait_for_nodes(*client, 1);
  CHECK(infer_at_last(load(*client, 1, input), input));
}

TEST_CASE("a node that is told to stop leaves within its time and fails nobody") {
  process_cluster cluster(2);
  auto client = cluster.connect();
  const auto input = photo(64);
  const auto m = load(*client, 2, input);
  std::atomic<bool> stop = false;
  int failed = 0, done = 0;
  std::thread load_loop([&] {
    while (!stop) {
      if (m.infer({input}, {.timeout = 30s}).get())
        ++done;
      else
        ++failed;
    }
  });
  std::this_thread::sleep_for(300ms);
  cluster.node(1).signal(SIGTERM);
  CHECK(cluster.node(1).wait(30s));
  stop = true;
  load_loop.join();
  CHECK(failed == 0);
  CHECK(done > 0);
  CHECK(cluster.head_log().find("[warning]") == std::string::npos); // it is the ordinary end
}

TEST_CASE("a model that no node has the memory for is refused with what it needs") {
  process_cluster cluster(1, {"--memory", "1MB"});
  auto client = cluster.connect();
  load_options options;
  options.name = "upscale";
  options.inputs = {photo(256).type()};
  const auto loaded = client->load(builtin_graph(), options);
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code() == errc::resource_exhausted);
  CHECK(loaded.error().message().find("(Concat) cannot be divided and need") != std::string::npos);
  CHECK(loaded.error().message().find("node-0/cpu0, has 1048576 bytes") != std::string::npos);
}

TEST_CASE("a bad input fails its own request, with what was expected and what came") {
  process_cluster cluster(2);
  auto client = cluster.connect();
  const auto m = load(*client, 2, photo(32));
  const auto check_refused = [&](std::vector<tensor> inputs, const std::string& why) {
    const auto answer = m.infer(std::move(inputs)).get();
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code() == errc::invalid_argument);
    const auto text = answer.error().message();
    CAPTURE(text);
    CHECK(text.starts_with("request "));
    CHECK(text.find(" part 0: stage 1 of 'upscale' on node ") != std::string::npos);
    CHECK(text.ends_with(": " + why));
  };
  const auto input = [](dtype type, const shape& dims) { return random_tensor({type, dims}, 1); };
  check_refused({}, "the model takes 1 inputs, got 0");
  check_refused({photo(32), photo(32)}, "the model takes 1 inputs, got 2");
  const std::string expected = "input 'image': expected float32[N,3,H,W], got ";
  check_refused({input(dtype::f32, {3, 8, 8})},
                expected + "float32[3,8,8]: 3 dimensions instead of 4");
  check_refused({input(dtype::f32, {1, 4, 8, 8})},
                expected + "float32[1,4,8,8]: dimension 1 differs");
  check_refused({input(dtype::i64, {1, 3, 8, 8})},
                expected + "int64[1,3,8,8]: the element type differs");
  const auto nothing = m.infer({tensor()}).get();
  REQUIRE_FALSE(nothing);
  CHECK(nothing.error().message().find("has no storage") != std::string::npos);
  CHECK(m.infer({photo(32)}).get());
}

TEST_CASE("stages of a plan that is given up are unloaded") {
  // Each node has room for one of the two stages, none for both.
  process_cluster cluster(2, {"--memory", "30MB"});
  auto client = cluster.connect();
  const auto shards = [&] {
    const auto now = client->status();
    REQUIRE(now);
    for (const auto& node : now->nodes)
      if (node.name == "node-0") return node.shards.size();
    return std::size_t{0};
  };
  cluster.node(1).signal(SIGSTOP); // it does not load its stage, and is lost for it
  auto loaded = std::async(std::launch::async, [&] {
    load_options options;
    options.stages = 2;
    options.inputs = {photo(128).type()};
    return client->load(builtin_graph(), options);
  });
  bool half = false;
  while (loaded.wait_for(10ms) != std::future_status::ready) half = half || shards() == 1;
  if (!half) MESSAGE("the other node was lost before this one had loaded its stage");
  const auto outcome = loaded.get();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::resource_exhausted);
  for (int tries = 0; tries < 400 && shards() > 0; ++tries) std::this_thread::sleep_for(50ms);
  CHECK(shards() == 0);
}
