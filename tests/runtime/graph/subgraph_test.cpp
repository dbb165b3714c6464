#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"
#include "runtime/graph/subgraph.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/random_graph.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace shoal;
using namespace shoal::test;

namespace {

std::vector<std::string> names_of(const graph& g, std::span<const value_id> ids) {
  std::vector<std::string> names;
  for (const auto id : ids) names.push_back(g.value(id).name);
  return names;
}

/// Ascending cuts from 0 to the number of nodes.
std::vector<std::size_t> random_cuts(std::size_t nodes, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::set<std::size_t> cuts{0, nodes};
  for (int i = 0; i < 4; ++i) cuts.insert(random() % (nodes + 1));
  return {cuts.begin(), cuts.end()};
}

} // namespace

TEST_CASE("stages of a random graph cover every node once and fit end to end") {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    const auto whole = random_graph(seed);
    const auto cuts = random_cuts(whole.nodes().size(), seed);
    std::vector<std::string> entering = names_of(whole, whole.inputs());
    std::vector<std::string> nodes;
    for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
      CAPTURE(k);
      const auto stage = extract_stage(whole, cuts[k], cuts[k + 1]);
      REQUIRE(stage);
      CHECK(names_of(*stage, stage->inputs()) == entering);
      entering = names_of(*stage, stage->outputs());
      for (const auto& node : stage->nodes()) nodes.push_back(text_of(*stage, node));
      for (const auto id : stage->inputs()) CHECK_FALSE(stage->value(id).is_constant());
      CHECK(entering == names_of(whole, live_values(whole, cuts[k + 1])));
    }
    CHECK(entering == names_of(whole, whole.outputs()));
    std::vector<std::string> expected;
    for (const auto& node : whole.nodes()) expected.push_back(text_of(whole, node));
    CHECK(nodes == expected);
  }
}

TEST_CASE("a stage survives export and import, untyped inputs and all") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    CAPTURE(seed);
    const auto whole = random_graph(seed, true);
    const auto cuts = random_cuts(whole.nodes().size(), seed);
    for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
      const auto stage = extract_stage(whole, cuts[k], cuts[k + 1]);
      REQUIRE(stage);
      if (stage->outputs().empty()) continue; // everything after it depends on constants alone
      const auto bytes = export_onnx_bytes(*stage);
      REQUIRE(bytes);
      import_options options;
      options.untyped_inputs = true;
      const auto imported = import_onnx_bytes(bytes_of(*bytes), options);
      REQUIRE(imported);
      CHECK(text_of(*imported->model) == text_of(*stage));
    }
  }
}

TEST_CASE("a value that a later stage needs passes through the stages between") {
  graph_builder b;
  b.inputs = {b.add_value({"x", dtype::f32, {}, {}})};
  auto last = b.inputs[0];
  for (const char* name : {"a", "b", "c"}) {
    graph_node node;
    node.definition = &any_operator();
    node.name = name;
    node.opset = 1;
    node.inputs = {last};
    if (std::string_view(name) == "c") node.inputs.push_back(b.inputs[0]);
    last = b.add_value({name, {}, {}, {}});
    node.outputs = {last};
    b.nodes.push_back(std::move(node));
  }
  b.outputs = {last, b.nodes[0].outputs[0]};
  const auto whole = *std::move(b).build();
  const auto middle = extract_stage(whole, 1, 2);
  REQUIRE(middle);
  CHECK(names_of(*middle, middle->inputs()) == std::vector<std::string>{"x", "a"});
  CHECK(names_of(*middle, middle->outputs()) == std::vector<std::string>{"x", "a", "b"});
  const auto end = extract_stage(whole, 2, 3);
  REQUIRE(end);
  CHECK(names_of(*end, end->outputs()) == std::vector<std::string>{"c", "a"});
}

TEST_CASE("a range that is no stage is refused") {
  const auto whole = random_graph(1);
  CHECK(extract_stage(whole, 0, 0).error().code() == errc::invalid_argument);
  CHECK(extract_stage(whole, 2, 1).error().code() == errc::invalid_argument);
  CHECK(extract_stage(whole, 0, whole.nodes().size() + 1).error().code() == errc::invalid_argument);
}
