#include "runtime/graph/rewrite.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

const auto to_last = order({0, 2, 3, 1}), to_first = order({0, 3, 1, 2});

/// x [2,3,4,5] turned to y [2,4,5,3].
sketch turned() {
  sketch s;
  s.input("x", {2, 3, 4, 5}).node("Transpose", {"x"}, {"t"}, to_last);
  return s;
}

/// What is left of the graph, once its outputs are found to be the same.
std::string left_of(const graph& before) {
  const auto after = rewritten(before);
  check_same_outputs(before, after);
  return operators_of(after);
}

} // namespace

TEST_CASE("two Transposes become one, or none") {
  CHECK(left_of(turned().node("Transpose", {"t"}, {"y"}, to_last).output("y").build()) ==
        "Transpose");
  const auto inverse = turned().node("Transpose", {"t"}, {"u"}, to_first);
  CHECK(left_of(sketch(inverse).node("Relu", {"u"}, {"y"}).output("y").build()) == "Relu");
  CHECK(left_of(sketch(inverse).output("u").build()) == "Transpose"); // both names are outside's
  CHECK(left_of(turned()
                    .node("Transpose", {"t"}, {"u"}, to_last)
                    .node("Transpose", {"u"}, {"y"}, to_last)
                    .output("y")
                    .build()) == "Transpose");
}

TEST_CASE("Transposes cancel across elementwise operators and constants that are rows") {
  const auto row = random_tensor({dtype::f32, {3}}, 3, 1, 2);
  const auto column = random_tensor({dtype::f32, {4, 1, 1}}, 4, 1, 2);
  auto s = turned();
  s.constant("row", row).constant("column", column).constant("half", tensor::of<float>({}, {0.5f}));
  s.node("Mul", {"t", "row"}, {"a"}).node("Add", {"column", "a"}, {"b"});
  s.node("LeakyRelu", {"b"}, {"c"}).node("Mul", {"c", "half"}, {"d"});
  s.node("Transpose", {"d"}, {"y"}, to_first).output("y");
  CHECK(left_of(s.build()) == "Mul Add LeakyRelu Mul");
}

TEST_CASE("Transposes of both operands and of a value that is read twice cancel") {
  auto s = turned();
  s.input("z", {1, 3, 4, 1}).node("Transpose", {"z"}, {"zt"}, to_last);
  s.node("Tanh", {"t"}, {"g"}).node("Mul", {"t", "g"}, {"p"}).node("Sub", {"p", "zt"}, {"d"});
  s.node("Transpose", {"d"}, {"y"}, order({0, 2, 1, 3})).output("y");
  CHECK(left_of(s.build()) == "Tanh Mul Sub Transpose");
}

TEST_CASE("Transposes stay where joining them would not save one") {
  rewrite_options off;
  off.join_transposes = false;
  const auto kept = [&](const sketch& s) {
    const auto before = s.build();
    return text_of(rewritten(before)) == text_of(rewritten(before, off));
  };
  const auto joined = turned().node("Relu", {"t"}, {"r"}).node("Transpose", {"r"}, {"y"}, to_last);
  CHECK(!kept(sketch(joined).output("y")));
  CHECK(kept(sketch(joined).output("y").output("t")));
  CHECK(kept(sketch(joined).output("y").output("r")));
  // Of other orders, or with what is neither turned nor a row.
  auto other = turned().node("Transpose", {"x"}, {"u"}, order({0, 3, 2, 1}));
  other.input("z", {2, 4, 5, 3});
  CHECK(kept(sketch(other)
                 .node("Add", {"t", "z"}, {"s"})
                 .node("Transpose", {"s"}, {"y"}, to_first)
                 .output("y")));
  auto square = sketch().input("x", {2, 3, 3, 3}).node("Transpose", {"x"}, {"t"}, to_last);
  square.node("Transpose", {"x"}, {"u"}, order({0, 3, 2, 1})).node("Add", {"t", "u"}, {"s"});
  CHECK(kept(square.node("Transpose", {"s"}, {"y"}, to_first).output("y")));
  auto matrix = turned().constant("m", random_tensor({dtype::f32, {5, 3}}, 3));
  CHECK(kept(
      matrix.node("Add", {"t", "m"}, {"s"}).node("Transpose", {"s"}, {"y"}, to_first).output("y")));
  auto wide = turned().constant("w", random_tensor({dtype::f32, {1, 1, 1, 1, 3}}, 3));
  CHECK(kept(wide.node("Add", {"t", "w"}, {"s"}).node("Relu", {"s"}, {"y"}).output("y")));
}

TEST_CASE("what reads a Transpose that cancels for others keeps it") {
  auto s = turned().node("Transpose", {"t"}, {"u"}, to_first).node("Relu", {"u"}, {"y"});
  CHECK(left_of(s.output("y").output("t").build()) == "Transpose Relu");
}

TEST_CASE("a Transpose becomes part of the product that reads it") {
  const auto swapped = order({0, 2, 1});
  for (const bool a : {false, true})
    for (const bool b : {false, true}) {
      if (!a && !b) continue;
      sketch s;
      s.input("a", a ? shape{2, 5, 3} : shape{2, 3, 5});
      s.input("b", b ? shape{2, 4, 5} : shape{2, 5, 4});
      s.node("Transpose", {"a"}, {"at"}, swapped).node("Transpose", {"b"}, {"bt"}, swapped);
      s.node("MatMul", {a ? "at" : "a", b ? "bt" : "b"}, {"y"}).output("y");
      const auto before = s.build();
      const auto after = rewritten(before);
      REQUIRE(operators_of(after) == "FusedMatMul");
      CHECK(after.nodes()[0].name == "MatMul:y");
      check_same_outputs(before, after);
      rewrite_options off;
      off.fuse_transposes = false;
      off.remove_dead_nodes = false;
      CHECK(text_of(rewritten(before, off)) == text_of(before));
    }
}

TEST_CASE("a Transpose turns the operand of Gemm and FusedMatMul once more") {
  sketch s;
  s.input("a", {5, 3}).input("b", {5, 4}).node("Transpose", {"a"}, {"at"}, order({1, 0}));
  s.node("Gemm", {"at", "b"}, {"g"}, with("alpha", 0.5f));
  s.node("Transpose", {"g"}, {"gt"}, order({1, 0}));
  s.node("com.microsoft:FusedMatMul", {"gt", "b"}, {"y"},
         with("transA", std::int64_t{1}, with("transB", std::int64_t{1})))
      .output("y");
  const auto before = s.build();
  const auto after = rewritten(before);
  REQUIRE(operators_of(after) == "Gemm FusedMatMul");
  CHECK(after.nodes()[0].attrs.get_int("transA", 0) == 1);
  CHECK(after.nodes()[1].attrs.get_int("transA", 1) == 0);
  check_same_outputs(before, after);
}

TEST_CASE("a Transpose that does not swap the last two axes is none of a product's business") {
  sketch s;
  s.input("a", {2, 3, 5, 7}).input("b", {2, 3, 5, 7});
  s.node("Transpose", {"b"}, {"bt"}, order({0, 1, 3, 2})).node("MatMul", {"a", "bt"}, {"y"});
  s.node("Transpose", {"b"}, {"bu"}, order({1, 0, 3, 2}));
  s.input("c", {3, 2, 5, 7}).node("MatMul", {"c", "bu"}, {"z"}).output("y").output("z");
  CHECK(left_of(s.build()) == "FusedMatMul Transpose MatMul");
}
