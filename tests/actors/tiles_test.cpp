#include "actors/tiles.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tile/steady_kernels.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <fstream>
#include <map>
#include <thread>

using namespace shoal;
using namespace shoal::test;

// Images in tiles as a program meets them: in one process, on two executors.

namespace {

/// Two outputs, one of them half as large; `channels` decides how much memory it takes.
std::shared_ptr<const graph> two_sizes(std::int64_t channels = 8) {
  model_builder b("two_sizes", 17, 1);
  const auto x = b.input("x", dtype::f32, {1, 3, "H", "W"});
  const auto same = attrs_of({{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  const auto wide = b.node("Conv", {x, b.random({channels, 3, 3, 3}, 0.3f)}, same);
  const auto narrow = b.node("Conv", {wide, b.random({2, channels, 3, 3}, 0.3f)}, same);
  b.output(narrow, "full");
  b.output(b.node("MaxPool", {narrow},
                  attrs_of({{"kernel_shape", std::vector<std::int64_t>{2, 2}},
                            {"strides", std::vector<std::int64_t>{2, 2}}})),
           "half");
  return std::make_shared<const graph>(std::move(b).build());
}

struct tiled_image {
  std::shared_ptr<const graph> graph_;
  tensor image;
  std::unique_ptr<runtime> where;
  std::optional<tile_plan> plan;
  std::optional<model> ready;

  tiled_image(std::shared_ptr<const graph> what, const shape& dims, const tile_choice& choice,
              const tile_choice& loaded_for)
      : graph_(std::move(what)), image(random_numbers(7).tensor_of(dims, 1)) {
    auto started = runtime::embedded({.executors = 2, .threads_per_executor = 1});
    REQUIRE(started);
    where = *std::move(started);
    plan = make_plan(choice);
    load_options options;
    options.steady = true;
    options.replicate = true;
    options.inputs = make_plan(loaded_for).usual_inputs();
    auto loaded = where->load(graph_, options);
    REQUIRE_MESSAGE(loaded, (loaded ? std::string() : loaded.error().message()));
    ready = *std::move(loaded);
  }
  tiled_image(const shape& dims, const tile_choice& choice)
      : tiled_image(two_sizes(), dims, choice, choice) {}

  tile_plan make_plan(const tile_choice& choice) const {
    const auto type = image.type();
    auto made = tile_plan::make(graph_, {&type, 1}, choice);
    REQUIRE_MESSAGE(made, (made ? std::string() : made.error().message()));
    return *std::move(made);
  }
  result<tile_report> run(tile_sink& to, const tile_run_options& options = {}) {
    tensor_source from(image, plan->axes());
    return infer_tiles(*ready, *plan, {image}, from, to, options);
  }
  std::vector<tensor> whole() const {
    auto rewritten = rewrite_for_cpu(graph_);
    REQUIRE(rewritten);
    auto steady = with_steady_kernels(*std::move(rewritten));
    REQUIRE(steady);
    session_cache sessions(*steady, {});
    workspace arena;
    auto outputs = sessions.run({&image, 1}, arena);
    REQUIRE(outputs);
    return *std::move(outputs);
  }
  void check_outputs(tensor_sink& got) const {
    const auto expected = whole();
    for (std::size_t o = 0; o < expected.size(); ++o) {
      CAPTURE(o);
      if (plan->inexact().empty()) CHECK(identical(got.outputs()[o], expected[o]));
      CHECK(got.outputs()[o].type() == expected[o].type());
    }
  }
};

/// Says that it has the first tile, and fails at the one that is said.
class picky_sink final : public tile_sink {
 public:
  explicit picky_sink(int fails_at) : fails_at_(fails_at) {}
  result<void> write(std::size_t, const tile_yield&, const tile_yield&, const tensor&) override {
    if (writes++ == fails_at_) return error(errc::unavailable, "the disk is full");
    return {};
  }
  bool has(const tile_span& rows, const tile_span& columns) const override {
    return rows.image.first == 0 && columns.image.first == 0;
  }
  int writes = 0;

 private:
  int fails_at_;
};

std::uint64_t address_space() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  statm >> pages;
  return pages * 4096;
}

/// No more address space than there is now, and a little.
class memory_limit {
 public:
  explicit memory_limit(std::uint64_t more) {
    getrlimit(RLIMIT_AS, &before_);
    auto limit = before_;
    limit.rlim_cur = address_space() + more;
    setrlimit(RLIMIT_AS, &limit);
  }
  ~memory_limit() { setrlimit(RLIMIT_AS, &before_); }
  memory_limit(const memory_limit&) = delete;
  memory_limit& operator=(const memory_limit&) = delete;

 private:
  rlimit before_{};
};

} // namespace

TEST_SUITE_BEGIN("actors");

TEST_CASE("an image in tiles over two executors gives every output of the whole") {
  for (const tile_choice choice : {tile_choice(tile_grid{1, 1}), tile_choice(tile_grid{3, 2}),
                                   tile_choice(tile_extents{20, 34})}) {
    tiled_image t({1, 3, 67, 90}, choice);
    auto to = tensor_sink::create(*t.plan);
    REQUIRE(to);
    std::uint64_t last = 0;
    tile_run_options options;
    options.on_progress = [&](const tile_progress& p) {
      CHECK(p.done == last + 1);
      CHECK(p.total == t.plan->count());
      last = p.done;
    };
    const auto report = t.run(*to, options);
    REQUIRE_MESSAGE(report, (report ? std::string() : report.error().message()));
    CHECK(report->tiles == t.plan->count());
    CHECK(last == t.plan->count());
    t.check_outputs(*to);
  }
}

TEST_CASE("both executors take tiles of a model that is on each of them") {
  tiled_image t({1, 3, 96, 96}, tile_grid{8, 8});
  auto to = tensor_sink::create(*t.plan);
  REQUIRE(to);
  tile_run_options options;
  options.in_flight = 8;
  REQUIRE(t.run(*to, options));
  std::map<std::uint32_t, std::uint64_t> parts; // as the node's next heartbeat tells
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  for (std::uint64_t sum = 0;
       sum < t.plan->count() && std::chrono::steady_clock::now() < deadline;) {
    const auto now = t.where->status();
    REQUIRE(now);
    parts.clear();
    for (const auto& node : now->nodes)
      for (const auto& shard : node.shards) parts[shard.device] += shard.parts_done;
    sum = 0;
    for (const auto& [device, done] : parts) sum += done;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(parts.size() == 2);
  for (const auto& [device, done] : parts) CHECK(done > 0);
}

TEST_CASE("tiles that do not fit the memory of an executor are halved") {
  const auto graph = two_sizes(64);
  // The whole needs 100 MB for its wide value, a quarter of it a quarter of that.
  tiled_image t(graph, {1, 3, 640, 640}, tile_grid{1, 1}, tile_grid{8, 8});
  auto to = tensor_sink::create(*t.plan);
  REQUIRE(to);
  const auto report = [&] {
    const memory_limit limit(std::uint64_t{72} << 20);
    return t.run(*to);
  }();
  REQUIRE_MESSAGE(report, (report ? std::string() : report.error().message()));
  CHECK(report->halved >= 1);
  CHECK(report->tiles >= 4);
  t.check_outputs(*to);
}

TEST_CASE("tiles that are there already are not computed, and a failure names its tile") {
  tiled_image t({1, 3, 64, 64}, tile_grid{4, 1});
  {
    picky_sink to(1000);
    const auto report = t.run(to);
    REQUIRE(report);
    CHECK(report->skipped == 1);
    CHECK(report->tiles == 3);
    CHECK(to.writes == 6); // of two outputs
  }
  picky_sink to(2);
  tile_run_options one_by_one;
  one_by_one.in_flight = 1;
  const auto report = t.run(to, one_by_one);
  REQUIRE(!report);
  const auto& third = t.plan->rows()[2].image;
  CHECK(report.error().message() ==
        fmt::format("tile of rows {} to {}, columns 0 to 63: the disk is full", third.first,
                    third.last));
}

TEST_CASE("a cancelled image ends with what was done so far") {
  tiled_image t({1, 3, 64, 64}, tile_grid{4, 4});
  auto to = tensor_sink::create(*t.plan);
  REQUIRE(to);
  std::atomic<bool> stop = false;
  tile_run_options options;
  options.cancelled = &stop;
  options.on_progress = [&](const tile_progress& p) { stop = p.done >= 3; };
  const auto report = t.run(*to, options);
  REQUIRE(!report);
  CHECK(report.error().code() == errc::cancelled);
  CHECK(report.error().message() == "cancelled after 3 of 16 tiles");
}

TEST_SUITE_END();
