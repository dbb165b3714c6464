#include "actors/ensemble.hpp"
#include "tests/support/trio_folder.hpp"

#include <doctest/doctest.h>

#include <optional>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

// Ensembles as embedders meet them: in one process, with models of one operator or two.

namespace {

std::unique_ptr<runtime> start() {
  auto started = runtime::embedded({.executors = 2, .threads_per_executor = 1});
  if (!started) FAIL(to_string(started.error()));
  return *std::move(started);
}

ensemble load(runtime& where, const std::filesystem::path& file) {
  auto loaded = ensemble::load(where, file);
  if (!loaded) FAIL(to_string(loaded.error()));
  return *loaded;
}

result<ensemble_inference> get(std::future<result<ensemble_inference>> answer) {
  REQUIRE(answer.wait_for(30s) == std::future_status::ready);
  return answer.get();
}

} // namespace

TEST_SUITE_BEGIN("actors");

TEST_CASE("three members answer as one, one of them cut into stages") {
  const trio_folder files;
  const auto here = start();
  const auto trio = load(*here, files.file());
  CHECK(trio.name() == "trio");
  CHECK(trio.output_names() == std::vector<std::string>{"y"});
  REQUIRE(trio.inputs().size() == 1);
  CHECK(trio.inputs()[0].name == "x");
  CHECK(trio.members()[1].expected_stage_seconds().size() == 2);
  const auto inputs = trio.arrange({{"x", tensor::of<float>({1, 4}, {1, 2, 3, -4})}});
  REQUIRE(inputs);
  const auto answer = get(trio.infer(*inputs));
  REQUIRE_MESSAGE(answer, (answer ? std::string() : to_string(answer.error())));
  CHECK(identical(answer->outputs[0].value, tensor::of<float>({1, 4}, {-3, -6, -9, 12})));
  CHECK(answer->outputs[0].spread->max > 0);
  REQUIRE(answer->members.size() == 3);
  for (const auto& m : answer->members) {
    CHECK(!m.failure);
    CHECK(m.attempts == 1);
  }
  CHECK(trio.arrange({}).error().message() ==
        "input 'x' of ensemble 'trio' is missing; its inputs are 'x'");
}

TEST_CASE("a member that cannot take the input is left out when two are enough") {
  const trio_folder files;
  const auto here = start();
  const auto five = tensor::of<float>({1, 5}, {1, 2, 3, 4, 5});
  const auto enough = load(*here, files.file(R"(, "quorum": 2)"));
  const auto answer = get(enough.infer({five}));
  REQUIRE_MESSAGE(answer, (answer ? std::string() : to_string(answer.error())));
  CHECK(identical(answer->outputs[0].value,
                  tensor::of<float>({1, 5}, {-1.5f, -3, -4.5f, -6, -7.5f})));
  REQUIRE(answer->members[2].failure);
  CHECK(answer->members[2].failure->code() == errc::invalid_argument);
  CHECK(!answer->members[0].failure);

  const auto all = load(*here, files.file());
  const auto refused = get(all.infer({five}));
  REQUIRE_FALSE(refused);
  const auto& text = refused.error().message();
  CAPTURE(text);
  CHECK(text.find(
            "ensemble 'trio': 1 of 3 members failed, 3 are needed: 'c': invalid argument: ") == 0);
  CHECK(text.find("expected float32[N,4], got float32[1,5]") != std::string::npos);
}

TEST_CASE("an ensemble whose runtime has ended answers that, also requests that are open") {
  const trio_folder files;
  std::optional<ensemble> left;
  std::vector<std::future<result<ensemble_inference>>> open;
  {
    const auto here = start();
    left = load(*here, files.file());
    for (int i = 0; i < 50; ++i)
      open.push_back(left->infer({*tensor::allocate({dtype::f32, {1000, 4}})}));
  }
  for (auto& answer : open)
    if (const auto got = get(std::move(answer)); !got) CHECK(got.error().code() == errc::cancelled);
  const auto late = get(left->infer({*tensor::allocate({dtype::f32, {1, 4}})}));
  REQUIRE_FALSE(late);
  CHECK(late.error().message() == "the runtime of ensemble 'trio' has ended");
  left->cancel(1);
}

TEST_CASE("requests that cannot be are refused at once, with the ensemble's or member's name") {
  const trio_folder files;
  const auto here = start();
  const auto trio = load(*here, files.file());
  CHECK(get(trio.infer({})).error().message() == "ensemble 'trio' has 1 inputs, got 0");
  const auto none = get(trio.infer({*tensor::allocate({dtype::f32, {1, 4}})}, {.timeout = 0ms}));
  REQUIRE_FALSE(none);
  CHECK(none.error().code() == errc::deadline_exceeded);
  std::filesystem::remove(files.folder.path() / "b.onnx");
  const auto missing = ensemble::load(*here, files.file());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code() == errc::not_found);
  CHECK(missing.error().message().find("member 'b': ") == 0);
}

TEST_SUITE_END();
