#include "runtime/session/session.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace shoal;

namespace {

graph_node make_node(std::string name, std::string_view op, std::vector<value_id> inputs,
                     std::vector<value_id> outputs) {
  graph_node n;
  n.name = std::move(name);
  n.opset = 17;
  n.definition = *find_operator(op, "", 17, n.name);
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  return n;
}

graph_value make_value(std::string name) {
  graph_value v;
  v.name = std::move(name);
  v.type = dtype::f32;
  return v;
}

/// x -> Relu -> a -> Identity -> b, with x, a and b as outputs besides.
std::shared_ptr<const graph> views_and_shared_outputs() {
  graph_builder b;
  const auto x = b.add_value(make_value("x")), a = b.add_value(make_value("a")),
             c = b.add_value(make_value("b"));
  b.inputs = {x};
  b.outputs = {c, x, a};
  b.nodes = {make_node("relu", "Relu", {x}, {a}), make_node("same", "Identity", {a}, {c})};
  return std::make_shared<const graph>(*std::move(b).build());
}

} // namespace

TEST_CASE("inputs pass through, and outputs that are views share memory") {
  const auto model = views_and_shared_outputs();
  const operand in{{dtype::f32, {3}}, nullptr, true};
  auto s = session::compile(model, {&in, 1}, std::make_shared<weight_cache>());
  REQUIRE(s);
  workspace arena;
  const auto x = tensor::of<float>({3}, {-1, 0, 2});
  const auto outputs = (*s)->run({&x, 1}, arena);
  REQUIRE(outputs);
  CHECK(identical((*outputs)[0], tensor::of<float>({3}, {0, 0, 2})));
  CHECK((*outputs)[1].data() == x.data());
  CHECK((*outputs)[2].data() == (*outputs)[0].data());
}

TEST_CASE("an input of another shape than compiled for is refused by name") {
  const operand in{{dtype::f32, {3}}, nullptr, true};
  auto s = session::compile(views_and_shared_outputs(), {&in, 1}, std::make_shared<weight_cache>());
  REQUIRE(s);
  workspace arena;
  const auto x = tensor::of<float>({4}, {1, 2, 3, 4});
  const auto outputs = (*s)->run({&x, 1}, arena);
  REQUIRE_FALSE(outputs);
  CHECK(outputs.error().message() ==
        "input 'x': this session was compiled for float32[3], got float32[4]");
}

TEST_CASE("what depends on constants alone is folded when the graph is bound") {
  graph_builder b;
  const auto k = b.add_constant("k", tensor::of<float>({2}, {-3, 4}));
  const auto y = b.add_value(make_value("y"));
  b.outputs = {y};
  b.nodes = {make_node("relu", "Relu", {k}, {y})};
  auto s = session::compile(std::make_shared<const graph>(*std::move(b).build()), {},
                            std::make_shared<weight_cache>());
  REQUIRE(s);
  CHECK((*s)->profile().empty());
  workspace arena;
  CHECK(identical((*(*s)->run({}, arena))[0], tensor::of<float>({2}, {0, 4})));
}

TEST_CASE("parts of a Split that are left out do not shift the others") {
  graph_builder b;
  const auto x = b.add_value(make_value("x")), y = b.add_value(make_value("y"));
  b.inputs = {x};
  b.outputs = {y};
  b.nodes = {make_node("split", "Split", {x}, {no_value, y, no_value})};
  const operand in{{dtype::f32, {6}}, nullptr, true};
  auto s = session::compile(std::make_shared<const graph>(*std::move(b).build()), {&in, 1},
                            std::make_shared<weight_cache>());
  REQUIRE(s);
  workspace arena;
  const auto values = tensor::of<float>({6}, {1, 2, 3, 4, 5, 6});
  CHECK(identical((*(*s)->run({&values, 1}, arena))[0], tensor::of<float>({2}, {3, 4})));
}

namespace {

/// x plus convolutions of it, block after block, as a stage that begins among residuals gets it.
std::shared_ptr<const graph> residual_chain(int blocks) {
  test::model_builder m("residuals", 17, 5);
  auto x = m.input("x", dtype::f32, {1, 32, 9, 7});
  for (int i = 0; i < blocks; ++i) {
    attributes attrs;
    attrs.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
    const auto c = m.node("Conv", {x, m.random({32, 32, 3, 3}, 0.1f)}, attrs);
    x = m.node("Relu", {m.node("Add", {c, x})});
  }
  m.output(x, "y");
  return std::make_shared<const graph>(std::move(m).build());
}

std::size_t reorders_in(const std::shared_ptr<const graph>& model) {
  const operand in{{dtype::f32, {1, 32, 9, 7}}, nullptr, true};
  const auto s = session::compile(model, {&in, 1}, std::make_shared<weight_cache>());
  REQUIRE(s);
  return static_cast<std::size_t>(
      std::ranges::count((*s)->profile(), std::string_view("reorder"), &node_profile::kernel));
}

} // namespace

TEST_CASE("a plain input costs one reorder, not one in every residual block behind it") {
  const auto few = reorders_in(residual_chain(2));
  CHECK(few <= 2); // of the input and of the output
  CHECK(reorders_in(residual_chain(8)) == few);
}
