#include "runtime/graph/rewrite.hpp"
#include "runtime/session/binding.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/random_graph.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// One rule alone.
rewrite_options only(bool rewrite_options::*rule) {
  auto options = rewrite_options::none();
  options.*rule = true;
  options.evaluate = evaluate_node;
  return options;
}

} // namespace

TEST_CASE("nodes that no output depends on go, and those before them") {
  const auto before = sketch()
                          .input("x", {2})
                          .node("Relu", {"x"}, {"y"})
                          .node("Neg", {"x"}, {"a"})
                          .node("Add", {"a", "y"}, {"b"})
                          .output("y")
                          .build();
  const auto after = rewritten(before, only(&rewrite_options::remove_dead_nodes));
  CHECK(operators_of(after) == "Relu");
  check_same_outputs(before, after);
}

TEST_CASE("identities go, and the names of inputs and outputs stay") {
  const auto before =
      sketch()
          .input("x", {2, 3})
          .node("Identity", {"x"}, {"a"})
          .node("Relu", {"a"}, {"b"})
          .node("Transpose", {"b"}, {"c"}, with("perm", std::vector<std::int64_t>{0, 1}))
          .node("Concat", {"c"}, {"y"}, with("axis", std::int64_t{1}))
          .output("y")
          .build();
  const auto after = rewritten(before, only(&rewrite_options::remove_identities));
  CHECK(operators_of(after) == "Relu");
  CHECK(after.value(after.outputs()[0]).name == "y");
  CHECK(after.value(after.nodes()[0].inputs[0]).name == "x");
  check_same_outputs(before, after);
}

TEST_CASE("an identity between an input and an output, or two outputs, stays") {
  const auto before = sketch()
                          .input("x", {2})
                          .node("Identity", {"x"}, {"y"})
                          .node("Relu", {"x"}, {"a"})
                          .node("Identity", {"a"}, {"b"})
                          .output("y")
                          .output("a")
                          .output("b")
                          .build();
  const auto after = rewritten(before, only(&rewrite_options::remove_identities));
  CHECK(text_of(after) == text_of(before));
}

TEST_CASE("a Transpose that reorders and a Concat of two are no identities") {
  const auto before =
      sketch()
          .input("x", {2, 3})
          .node("Transpose", {"x"}, {"a"})
          .node("Transpose", {"a"}, {"b"}, with("perm", std::vector<std::int64_t>{1, 0}))
          .node("Concat", {"b", "x"}, {"y"}, with("axis", std::int64_t{0}))
          .output("y")
          .build();
  const auto after = rewritten(before, only(&rewrite_options::remove_identities));
  CHECK(text_of(after) == text_of(before));
}

TEST_CASE("casts to the type that a value has go") {
  const auto to_f32 = with("to", std::int64_t{1});
  const auto before = sketch()
                          .input("x", {2})
                          .input("h", {2}, dtype::f16)
                          .node("Cast", {"x"}, {"a"}, to_f32)
                          .node("Cast", {"h"}, {"b"}, to_f32)
                          .node("Add", {"a", "b"}, {"y"})
                          .output("y")
                          .build();
  const auto after = rewritten(before, only(&rewrite_options::remove_identities));
  CHECK(operators_of(after) == "Cast Add");
  check_same_outputs(before, after);
}

TEST_CASE("nodes of constants are computed, below the cap and in chains") {
  const auto before = sketch()
                          .input("x", {2})
                          .constant("c", tensor::of<float>({2}, {1, -2}))
                          .node("Neg", {"c"}, {"d"})
                          .node("Relu", {"d"}, {"e"})
                          .node("Add", {"x", "e"}, {"y"})
                          .output("y")
                          .output("d")
                          .build();
  auto options = only(&rewrite_options::fold_constants);
  const auto after = rewritten(before, options);
  CHECK(operators_of(after) == "Add");
  CHECK(
      identical(after.value(after.nodes()[0].inputs[1]).constant, tensor::of<float>({2}, {0, 2})));
  check_same_outputs(before, after);
  options.max_folded_bytes = 7;
  CHECK(text_of(rewritten(before, options)) == text_of(before));
  options = only(&rewrite_options::fold_constants);
  options.evaluate = nullptr;
  CHECK(text_of(rewritten(before, options)) == text_of(before));
}

TEST_CASE("rewriting with every rule keeps what random graphs compute, and their interface") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    graph_builder fixed(random_graph(seed, true));
    for (auto& value : fixed.values)
      if (value.dims) value.dims = {{2, ""}, {3, ""}};
    for (auto& node : fixed.nodes) node.attrs = {};
    const auto before = *std::move(fixed).build();
    rewrite_options options;
    options.evaluate = evaluate_node;
    const auto after = rewritten(before, options);
    CHECK(after.inputs().size() == before.inputs().size());
    for (std::size_t i = 0; i < before.outputs().size(); ++i)
      CHECK(after.value(after.outputs()[i]).name == before.value(before.outputs()[i]).name);
    check_same_outputs(before, after, 0);
  }
}
