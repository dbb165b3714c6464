#include "actors/ensemble.hpp"
#include "tests/support/process_cluster.hpp"
#include "tests/support/trio_folder.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

result<ensemble_inference> get(std::future<result<ensemble_inference>> answer) {
  REQUIRE(answer.wait_for(60s) == std::future_status::ready);
  return answer.get();
}

} // namespace

TEST_SUITE_BEGIN("cluster");

TEST_CASE("an ensemble on a cluster gives the bytes of one process, also when a node is killed") {
  const trio_folder files;
  const auto input = random_numbers(4).tensor_of({64, 4}, 2);
  const auto alone = *runtime::embedded({.executors = 1, .threads_per_executor = 1});
  const auto reference = get(ensemble::load(*alone, files.file())->infer({input}));
  REQUIRE(reference);

  process_cluster cluster(3);
  const auto client = cluster.connect();
  const auto trio = ensemble::load(*client, files.file());
  REQUIRE_MESSAGE(trio, (trio ? std::string() : to_string(trio.error())));
  std::vector<std::future<result<ensemble_inference>>> answers;
  for (int i = 0; i < 60; ++i) {
    answers.push_back(trio->infer({input}, {.timeout = 30s}));
    if (i == 20) cluster.node(1).signal(9);
  }
  for (auto& answer : answers) {
    const auto got = get(std::move(answer));
    REQUIRE_MESSAGE(got, (got ? std::string() : to_string(got.error())));
    CHECK(identical(got->outputs[0].value, reference->outputs[0].value));
  }
}

TEST_SUITE_END();
