#include "tests/support/node_runner.hpp"
#include "tests/support/onnx_folder.hpp"
#include "tests/support/process_cluster.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

// Real models through real processes: a head, three nodes, this process as their client.

using namespace shoal;
using namespace shoal::test;

namespace {

struct tolerance {
  double relative = 1e-3;
  double absolute = 1e-4;
};

tolerance tolerance_of(const std::string& name) {
  return name == "squeezenet_fp16" ? tolerance{1e-2, 1e-2} : tolerance{};
}

model load(runtime& where, const std::string& name, const onnx_folder& stored,
           std::uint32_t stages) {
  load_options options;
  options.name = name;
  options.stages = stages;
  for (const auto& input : stored.runs.front().inputs) options.inputs.push_back(input.type());
  auto loaded = where.load(stored.model, options);
  REQUIRE_MESSAGE(loaded, (loaded ? std::string() : to_string(loaded.error())));
  return *loaded;
}

inference infer(const model& m, const stored_run& run) {
  auto answer = m.infer(run.inputs).get();
  REQUIRE_MESSAGE(answer, (answer ? std::string() : to_string(answer.error())));
  REQUIRE(answer->outputs.size() == run.outputs.size());
  return *std::move(answer);
}

std::vector<inference> infer_all(const model& m, const onnx_folder& stored) {
  std::vector<inference> answers;
  for (const auto& run : stored.runs) answers.push_back(infer(m, run));
  return answers;
}

void check_cut(runtime& cluster, const std::string& name, const onnx_folder& stored,
               std::uint32_t stages, const std::vector<inference>& whole) {
  CAPTURE(stages);
  const auto answers = infer_all(load(cluster, name, stored, stages), stored);
  const auto allowed = tolerance_of(name);
  for (std::size_t r = 0; r < answers.size(); ++r) {
    const auto& expected = stored.runs[r];
    CAPTURE(expected.name);
    const auto& trace = answers[r].parts.at(0);
    REQUIRE(trace.size() == stages);
    std::set<incarnation> nodes;
    for (const auto& stage : trace) nodes.insert(stage.node);
    CHECK(nodes.size() == std::min<std::size_t>(stages, 3));
    for (std::size_t o = 0; o < expected.outputs.size(); ++o) {
      CAPTURE(o);
      const auto& got = answers[r].outputs[o];
      CHECK(mismatch(got, expected.outputs[o], allowed.relative, allowed.absolute) <= 1);
      CHECK(identical(got, whole[r].outputs[o]));
    }
  }
}

} // namespace

TEST_CASE("every real model cut over three processes gives its stored outputs, and the bytes that "
          "one process gives") {
  std::unique_ptr<process_cluster> cluster;
  std::unique_ptr<runtime> client;
  auto here = runtime::embedded({.executors = 1, .threads_per_executor = 1});
  REQUIRE(here);
  for (const std::string name : shared_models) {
    CAPTURE(name);
    const auto stored = read_shared_model(name);
    if (stored.model == nullptr) {
      MESSAGE("skipped: shared/models/" << name << " is not there");
      continue;
    }
    if (!cluster) {
      cluster = std::make_unique<process_cluster>(3);
      client = cluster->connect();
    }
    REQUIRE(!stored.runs.empty());
    const auto whole = infer_all(load(**here, name, stored, 1), stored);
    for (const std::uint32_t stages : {2U, 3U, 5U}) check_cut(*client, name, stored, stages, whole);
  }
}
