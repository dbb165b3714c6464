#include "runtime/graph/rewrite.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

/// x + z of [2,3,8], z perhaps smaller, normalised to y.
sketch added(const shape& z, const shape& scale = {8}, bool shifted = true,
             attributes attrs = with("axis", std::int64_t{-1})) {
  sketch s(17);
  s.input("x", {2, 3, 8}).input("z", z).node("Add", {"x", "z"}, {"s"});
  s.constant("scale", random_tensor({dtype::f32, scale}, 2));
  s.constant("shift", random_tensor({dtype::f32, {8}}, 3));
  return s
      .node("LayerNormalization", {"s", "scale", shifted ? "shift" : ""}, {"y"}, std::move(attrs))
      .output("y");
}

} // namespace

TEST_CASE("a sum and its normalisation become one, whatever the shapes of both summands") {
  for (const auto& z : {shape{2, 3, 8}, shape{3, 8}, shape{8}, shape{}, shape{4, 1, 1, 8}})
    for (const bool shifted : {true, false}) {
      CAPTURE(to_string(z));
      const auto before = added(z, {8}, shifted, with("epsilon", 1e-3f)).build();
      const auto after = rewritten(before);
      REQUIRE(operators_of(after) == "AddLayerNormalization");
      CHECK(after.nodes()[0].name == "Add:s");
      check_same_outputs(before, after);
      rewrite_options off;
      off.fuse_added_norm = false;
      CHECK(text_of(rewritten(before, off)) == text_of(before));
    }
}

TEST_CASE("the sum that a normalisation takes over stays for others") {
  const auto output = added({2, 3, 8}).output("s").build();
  const auto read = added({3, 8}).node("Relu", {"s"}, {"r"}).output("r").build();
  for (const auto& before : {output, read}) {
    const auto after = rewritten(before);
    CHECK(operators_of(after).starts_with("AddLayerNormalization"));
    CHECK(after.nodes()[0].outputs.size() == 2);
    check_same_outputs(before, after);
  }
}

TEST_CASE("a normalisation of more than rows, or with other scales, keeps its sum apart") {
  const auto kept = [](const sketch& s) {
    return operators_of(rewritten(s.build())) == "Add LayerNormalization";
  };
  CHECK(kept(added({2, 3, 8}, {8}, true, with("axis", std::int64_t{1}))));
  CHECK(kept(added({2, 3, 8}, {3, 8})));
  CHECK(kept(added({2, 3, 8}, {1})));
  sketch open(17);
  open.input("x", {2, 8}).input("z", {2, 8}).input("scale", {8}).node("Add", {"x", "z"}, {"s"});
  CHECK(kept(open.node("LayerNormalization", {"s", "scale"}, {"y"}).output("y")));
  sketch mean(17);
  mean.input("x", {2, 8}).input("z", {2, 8}).node("Add", {"x", "z"}, {"s"});
  mean.constant("scale", random_tensor({dtype::f32, {8}}, 2));
  CHECK(kept(mean.node("LayerNormalization", {"s", "scale"}, {"y", "m"}).output("y").output("m")));
}
