#include "runtime/graph/rewrite.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

// Formulas that exporters write out, recognised as the operators they are.

namespace {

tensor number(float value) {
  return tensor::of<float>({}, {value});
}

/// x [3,8] and the numbers that the formulas need.
sketch with_numbers() {
  sketch s;
  s.input("x", {3, 8});
  s.constant("half", number(0.5f)).constant("one", number(1)).constant("two", number(2));
  s.constant("three", number(3)).constant("root", number(1.41421354f));
  s.constant("inverse", number(0.707106769f)).constant("cubic", number(0.044715f));
  s.constant("inner", number(0.797884583f)).constant("a", number(1.702f));
  return s.constant("tiny", number(1e-5f));
}

struct step {
  const char* op;
  std::vector<std::string> in;
  const char* out;
};

graph formula(const std::vector<step>& steps, const std::vector<std::string>& more_outputs = {}) {
  auto s = with_numbers();
  for (const auto& [op, in, out] : steps) s.node(op, in, {out});
  s.output("y");
  for (const auto& name : more_outputs) s.output(name);
  return s.build();
}

const std::vector<step> erf_by_quotient{
    {"Div", {"x", "root"}, "d"}, {"Erf", {"d"}, "e"}, {"Add", {"e", "one"}, "s"}};

std::vector<step> then(std::vector<step> steps, const std::vector<step>& more) {
  steps.insert(steps.end(), more.begin(), more.end());
  return steps;
}

/// The formula of a normalisation of x [3,8].
sketch normalisation(bool product, attributes mean = with("axes", std::vector<std::int64_t>{-1})) {
  auto s = with_numbers();
  s.constant("scale", random_tensor({dtype::f32, {8}}, 2));
  s.constant("shift", random_tensor({dtype::f32, {8}}, 3));
  s.node("ReduceMean", {"x"}, {"m"}, mean).node("Sub", {"x", "m"}, {"d"});
  if (product)
    s.node("Mul", {"d", "d"}, {"q"});
  else
    s.node("Pow", {"d", "two"}, {"q"});
  s.node("ReduceMean", {"q"}, {"v"}, mean).node("Add", {"v", "tiny"}, {"w"});
  s.node("Sqrt", {"w"}, {"r"}).node("Div", {"d", "r"}, {"n"});
  return s.node("Mul", {"scale", "n"}, {"p"}).node("Add", {"p", "shift"}, {"y"}).output("y");
}

} // namespace

TEST_CASE("Gelu by the error function is found whatever the order of its factors") {
  const std::vector<step> endings[] = {{{"Mul", {"x", "s"}, "p"}, {"Mul", {"p", "half"}, "y"}},
                                       {{"Mul", {"s", "x"}, "p"}, {"Mul", {"half", "p"}, "y"}},
                                       {{"Mul", {"s", "half"}, "p"}, {"Mul", {"x", "p"}, "y"}},
                                       {{"Mul", {"x", "half"}, "p"}, {"Mul", {"p", "s"}, "y"}},
                                       {{"Mul", {"half", "x"}, "p"}, {"Mul", {"s", "p"}, "y"}}};
  const std::vector<step> by_product{
      {"Mul", {"inverse", "x"}, "d"}, {"Erf", {"d"}, "e"}, {"Add", {"one", "e"}, "s"}};
  for (const auto& beginning : {erf_by_quotient, by_product})
    for (const auto& ending : endings) {
      const auto before = formula(then(beginning, ending));
      const auto after = rewritten(before);
      REQUIRE(operators_of(after) == "Gelu");
      CHECK(after.nodes()[0].definition->domain == "com.microsoft");
      check_same_outputs(before, after);
      rewrite_options off;
      off.fuse_gelu = false;
      CHECK(text_of(rewritten(before, off)) == text_of(before));
    }
}

TEST_CASE("Gelu by the hyperbolic tangent is found, its cube a power or products") {
  const std::vector<step> cubes[] = {{{"Pow", {"x", "three"}, "c"}},
                                     {{"Mul", {"x", "x"}, "xx"}, {"Mul", {"x", "xx"}, "c"}}};
  for (const auto& cube : cubes) {
    const auto before = formula(then(cube, {{"Mul", {"cubic", "c"}, "k"},
                                            {"Add", {"x", "k"}, "i"},
                                            {"Mul", {"inner", "i"}, "j"},
                                            {"Tanh", {"j"}, "t"},
                                            {"Add", {"one", "t"}, "s"},
                                            {"Mul", {"half", "x"}, "p"},
                                            {"Mul", {"p", "s"}, "y"}}));
    const auto after = rewritten(before);
    CHECK(operators_of(after) == "FastGelu");
    check_same_outputs(before, after);
  }
}

TEST_CASE("x sigmoid(a x) is found, with a factor and without") {
  const auto plain = formula({{"Sigmoid", {"x"}, "s"}, {"Mul", {"x", "s"}, "y"}});
  const auto scaled =
      formula({{"Mul", {"x", "a"}, "k"}, {"Sigmoid", {"k"}, "s"}, {"Mul", {"s", "x"}, "y"}});
  for (const auto& before : {plain, scaled}) {
    const auto after = rewritten(before);
    CHECK(operators_of(after) == "QuickGelu");
    check_same_outputs(before, after);
  }
}

TEST_CASE("what is not quite a Gelu stays") {
  const auto kept = [](const graph& before) {
    return text_of(rewritten(before)) == text_of(before);
  };
  const std::vector<step> ending{{"Mul", {"x", "s"}, "p"}, {"Mul", {"p", "half"}, "y"}};
  CHECK(kept(formula(then(erf_by_quotient, ending), {"s"})));
  CHECK(kept(formula(then(erf_by_quotient, ending), {"p"})));
  CHECK(
      kept(formula(then(erf_by_quotient, {{"Mul", {"x", "s"}, "p"}, {"Mul", {"p", "two"}, "y"}}))));
  CHECK(kept(
      formula(then(erf_by_quotient, {{"Mul", {"e", "s"}, "p"}, {"Mul", {"p", "half"}, "y"}}))));
  CHECK(kept(formula(then(
      {{"Div", {"x", "two"}, "d"}, {"Erf", {"d"}, "e"}, {"Add", {"e", "one"}, "s"}}, ending))));
  CHECK(kept(formula({{"Relu", {"x"}, "z"}, {"Sigmoid", {"z"}, "s"}, {"Mul", {"x", "s"}, "y"}})));
  // A constant with axes could add axes to the result.
  auto s = with_numbers();
  s.constant("wide", tensor::of<float>({1, 1, 1}, {0.5f}));
  for (const auto& [op, in, out] : erf_by_quotient) s.node(op, in, {out});
  CHECK(
      kept(s.node("Mul", {"x", "s"}, {"p"}).node("Mul", {"p", "wide"}, {"y"}).output("y").build()));
}

TEST_CASE("LayerNormalization is found in its formula") {
  for (const bool product : {false, true}) {
    const auto before = normalisation(product).build();
    const auto after = rewritten(before);
    REQUIRE(operators_of(after) == "LayerNormalization");
    CHECK(after.nodes()[0].attrs.get_float("epsilon", 0) == 1e-5f);
    check_same_outputs(before, after);
    rewrite_options off;
    off.fuse_layer_norm = false;
    CHECK(text_of(rewritten(before, off)) == text_of(before));
  }
}

TEST_CASE("a normalisation stays that is over other axes or whose parts are read elsewhere") {
  const auto kept = [](const graph& before) {
    return text_of(rewritten(before)) == text_of(before);
  };
  CHECK(kept(normalisation(false, with("axes", std::vector<std::int64_t>{0})).build()));
  CHECK(kept(normalisation(false, with("axes", std::vector<std::int64_t>{0, 1})).build()));
  for (const auto* read : {"m", "d", "q", "r", "n", "p"}) {
    CAPTURE(read);
    CHECK(kept(normalisation(false).output(read).build()));
  }
  CHECK(kept(normalisation(false).node("Neg", {"d"}, {"z"}).output("z").build()));
}

TEST_CASE("a row added to a product with constant weights becomes part of it") {
  for (const bool swapped : {false, true}) {
    sketch s;
    s.input("x", {2, 3, 8}).constant("w", random_tensor({dtype::f32, {8, 5}}, 2));
    s.constant("b", random_tensor({dtype::f32, {5}}, 3)).node("MatMul", {"x", "w"}, {"p"});
    s.node("Add", swapped ? std::vector<std::string>{"b", "p"} : std::vector<std::string>{"p", "b"},
           {"y"});
    const auto before = s.output("y").build();
    const auto after = rewritten(before);
    REQUIRE(operators_of(after) == "BiasedMatMul");
    CHECK(after.nodes()[0].name == "MatMul:p");
    check_same_outputs(before, after);
    rewrite_options off;
    off.fuse_bias = false;
    CHECK(text_of(rewritten(before, off)) == text_of(before));
  }
}

TEST_CASE("a sum with a product stays where it is no row or the product is read elsewhere") {
  const auto added = [](const shape& bias, bool constant_weights, bool output) {
    sketch s;
    s.input("x", {5, 8});
    const auto w = random_tensor({dtype::f32, {8, 5}}, 2);
    if (constant_weights)
      s.constant("w", w);
    else
      s.input("w", {8, 5});
    s.constant("b", random_tensor({dtype::f32, bias}, 3)).node("MatMul", {"x", "w"}, {"p"});
    s.node("Add", {"p", "b"}, {"y"}).output("y");
    if (output) s.output("p");
    return operators_of(rewritten(s.build()));
  };
  CHECK(added({5}, true, false) == "BiasedMatMul");
  CHECK(added({5}, true, true) == "MatMul Add");
  CHECK(added({5}, false, false) == "MatMul Add");
  CHECK(added({5, 1}, true, false) == "MatMul Add");
  CHECK(added({1}, true, false) == "MatMul Add");
}
