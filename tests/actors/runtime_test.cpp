#include "actors/shoal.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/onnx_text.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

// The embedding interface as its users meet it: in one process, with a model of one operator.

namespace {

constexpr auto patience = 30s;

std::shared_ptr<const graph> negation() {
  model_builder b("negation", 13, 1);
  const auto x = b.input("x", dtype::f32, {"N", 4});
  b.output(b.node("Neg", {x}), "y");
  return std::make_shared<const graph>(std::move(b).build());
}

std::unique_ptr<runtime> start() {
  auto started = runtime::embedded({.executors = 1, .threads_per_executor = 1});
  if (!started) FAIL(to_string(started.error()));
  return *std::move(started);
}

model load(runtime& where) {
  auto loaded = where.load(negation(), {.name = "negation"});
  if (!loaded) FAIL(to_string(loaded.error()));
  return *loaded;
}

tensor batch(std::int64_t size) {
  return *tensor::allocate({dtype::f32, {size, 4}});
}

result<inference> get(std::future<result<inference>>& answer) {
  REQUIRE(answer.wait_for(patience) == std::future_status::ready);
  return answer.get();
}

} // namespace

TEST_SUITE_BEGIN("actors");

TEST_CASE("algorithms are chosen by measuring, kept in the cache folder, or not at all") {
  const temporary_folder folder;
  const scoped_variable cache("XDG_CACHE_HOME", folder.path());
  const auto here = start();
  load_options options{.name = "upscale", .inputs = {{dtype::f32, {1, 3, 32, 32}}}};
  options.tune = false;
  const auto file = source_file("apps/builtin/upscale_x2.onnx");
  REQUIRE(here->load(file, options));
  const auto kept = folder.path() / "shoal" / "tuning";
  CHECK_FALSE(std::filesystem::exists(kept));
  options.tune = true;
  options.name = "upscale tuned";
  REQUIRE(here->load(file, options));
  REQUIRE(std::filesystem::exists(kept));
  CHECK_FALSE(std::filesystem::is_empty(kept));
}

TEST_CASE("the end of a runtime answers what is still open, each request once") {
  constexpr int requests = 200;
  std::vector<std::future<result<inference>>> futures;
  std::atomic<int> called = 0;
  {
    const auto here = start();
    const auto m = load(*here);
    for (int i = 0; i < requests; ++i) {
      futures.push_back(m.infer({batch(1000)}));
      m.infer({batch(1000)}, [&](const result<inference>&) { ++called; });
    }
  }
  CHECK(called == requests);
  int cancelled = 0;
  for (auto& future : futures)
    if (const auto answer = get(future); !answer) {
      CHECK(answer.error().code() == errc::cancelled);
      ++cancelled;
    }
  CHECK(cancelled > 0); // else this proves nothing
}

TEST_CASE("a model whose runtime has ended answers that, also in the middle of the end") {
  std::optional<model> left;
  std::atomic<int> second = 0;
  {
    const auto here = start();
    left = load(*here);
    for (int i = 0; i < 100; ++i)
      left->infer({batch(1000)}, [&](const result<inference>&) {
        left->infer({batch(1)}, [&](const result<inference>&) { ++second; });
      });
  }
  CHECK(second == 100);
  auto late = left->infer({batch(1)});
  const auto answer = get(late);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code() == errc::cancelled);
  left->cancel(1);
}

TEST_CASE("a callback that throws harms nobody else") {
  const auto here = start();
  const auto m = load(*here);
  std::promise<void> called;
  m.infer({batch(1)}, [&](const result<inference>&) {
    called.set_value();
    throw std::runtime_error("the caller's mistake");
  });
  REQUIRE(called.get_future().wait_for(patience) == std::future_status::ready);
  auto next = m.infer({batch(1)});
  CHECK(get(next));
}

TEST_CASE("a request whose answer nobody wants harms nobody") {
  const auto here = start();
  const auto m = load(*here);
  m.infer({batch(1)}, std::function<void(result<inference>)>());
  auto next = m.infer({batch(1)});
  CHECK(get(next));
}

TEST_CASE("a callback may send the next request") {
  const auto here = start();
  const auto m = load(*here);
  std::promise<result<inference>> second;
  m.infer({batch(1)}, [&](const result<inference>&) {
    m.infer({batch(2)}, [&](result<inference> answer) { second.set_value(std::move(answer)); });
  });
  auto answer = second.get_future();
  const auto got = get(answer);
  REQUIRE(got);
  CHECK(got->outputs[0].dims() == shape{2, 4});
}

TEST_CASE("a load without a graph is refused") {
  const auto loaded = start()->load(std::shared_ptr<const graph>(), {});
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code() == errc::invalid_argument);
}

TEST_CASE("a plan that was only looked at leaves nothing behind, made or not") {
  const auto here = start();
  std::weak_ptr<const graph> looked_at;
  {
    auto model = negation();
    looked_at = model;
    REQUIRE(here->load(model, {.name = "negation", .plan_only = true}));
    const auto impossible =
        here->load(model, {.name = "negation", .stages = 1000, .plan_only = true});
    REQUIRE_FALSE(impossible);
    CHECK(impossible.error().message() ==
          "planning 'negation': the model can be cut into at most 1 stages, not 1000");
  }
  const auto now = here->status();
  REQUIRE(now);
  CHECK(now->models.empty());
  // The planner's thread drops its reference a moment after it has answered.
  for (int tries = 0; tries < 500 && !looked_at.expired(); ++tries)
    std::this_thread::sleep_for(10ms);
  CHECK(looked_at.expired());
}

TEST_CASE("more executors than a node may have are refused at once") {
  const auto crowd = runtime::embedded({.executors = 65, .threads_per_executor = 1});
  REQUIRE_FALSE(crowd);
  CHECK(crowd.error().code() == errc::invalid_argument);
  CHECK(crowd.error().message().find("65") != std::string::npos);
}

TEST_CASE("a load that takes too long says so") {
  // Measuring this one takes some hundred milliseconds.
  const auto loaded = start()->load(source_file("apps/builtin/upscale_x2.onnx"), {.timeout = 1ms});
  REQUIRE_FALSE(loaded);
  CHECK(loaded.error().code() == errc::deadline_exceeded);
  CHECK(loaded.error().message() == "the head did not answer within 1 ms");
}

TEST_CASE("any timeout is a timeout: none left, or as long as can be said") {
  const auto here = start();
  const auto m = load(*here);
  for (const auto none : {0ms, -5ms, std::chrono::milliseconds::min()}) {
    auto answer = m.infer({batch(1)}, {.timeout = none});
    const auto got = get(answer);
    REQUIRE_FALSE(got);
    CHECK(got.error().code() == errc::deadline_exceeded);
  }
  for (const auto long_enough : {std::chrono::milliseconds(5h), std::chrono::milliseconds::max()}) {
    auto answer = m.infer({batch(1)}, {.timeout = long_enough});
    CHECK(get(answer));
  }
}

TEST_CASE("inputs that do not fit are refused with what was expected, said once") {
  const auto here = start();
  const auto m = load(*here);
  auto answer = m.infer({tensor::of<float>({3}, {1, 2, 3})});
  const auto got = get(answer);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == errc::invalid_argument);
  const auto& text = got.error().message();
  CAPTURE(text);
  CHECK(text.find("expected float32[N,4], got float32[3]") != std::string::npos);
  CHECK(text.find("request") == text.rfind("request"));
}

TEST_CASE("a model whose shapes depend on values runs, also cut into stages") {
  const auto picks = graph_of_text(R"(
    picks (float[N] x, int64 n) => (float[M] y) {
      sum = Add(x, x)
      at = NonZero(sum)
      flat = Constant<value_ints = [-1]>()
      places = Reshape(at, flat)
      picked = Gather(sum, places)
      yes = Constant<value = bool {1}>()
      y = Loop(n, yes, picked) <body = step (int64 i, bool on, float[K] a)
          => (bool again, float[K] b) {
        again = Identity(yes)
        b = Add(a, picked)
      }>
    })");
  const auto here = start();
  for (const std::uint32_t stages : {1u, 3u}) {
    CAPTURE(stages);
    load_options options{.name = "picks"};
    options.stages = stages;
    options.inputs = {{dtype::f32, {8}}, {dtype::i64, {}}};
    const auto loaded = here->load(picks, options);
    REQUIRE_MESSAGE(loaded, (loaded ? std::string() : to_string(loaded.error())));
    for (const std::int64_t n : {0, 2}) {
      auto answer = loaded->infer(
          {tensor::of<float>({5}, {0, 1, 0, 2, 3}), tensor::of<std::int64_t>({}, {n})});
      const auto done = get(answer);
      REQUIRE_MESSAGE(done, (done ? std::string() : to_string(done.error())));
      const auto k = static_cast<float>(2 * (n + 1));
      CHECK(identical(done->outputs[0], tensor::of<float>({3}, {k, 2 * k, 3 * k})));
    }
  }
}

TEST_SUITE_END();
