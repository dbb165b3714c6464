#include "runtime/graph/subgraph.hpp"
#include "runtime/plan/live_order.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

std::unique_ptr<bound_graph> bound_for(const graph& model, std::span<const tensor_type> types) {
  std::vector<operand> operands;
  for (const auto& type : types) operands.push_back({type, nullptr, true});
  auto bound = bind_types(std::make_shared<const graph>(model), operands);
  REQUIRE(bound);
  return *std::move(bound);
}

/// Bytes that cross a cut behind each node, summed up, counted as the partitioner counts.
std::int64_t bytes_over_cuts(const graph& model, std::span<const tensor_type> types) {
  const auto bound = bound_for(model, types);
  std::int64_t sum = 0;
  for (std::size_t cut = 1; cut < model.nodes().size(); ++cut)
    for (const auto id : live_values(model, cut)) {
      const auto& type = bound->value(id).type;
      sum += type.dims.element_count() * static_cast<std::int64_t>(size_of(type.type));
    }
  return sum;
}

std::vector<std::string> names(const graph& model) {
  std::vector<std::string> all;
  for (const auto& node : model.nodes()) all.push_back(node.name);
  return all;
}

} // namespace

TEST_SUITE_BEGIN("plan");

TEST_CASE("a short cut runs as soon as that frees the block's input") {
  model_builder b("block", 13, 1);
  const auto x = b.input("x", dtype::f32, {1, 8, 16, 16});
  const auto half = attrs_of({{"strides", std::vector<std::int64_t>{2, 2}}});
  const auto narrow = b.node("Conv", {x, b.random({2, 8, 1, 1}, 1)});
  const auto down = b.node("Conv", {narrow, b.random({2, 2, 1, 1}, 1)}, half);
  const auto wide = b.node("Conv", {down, b.random({8, 2, 1, 1}, 1)});
  const auto short_cut = b.node("Conv", {x, b.random({8, 8, 1, 1}, 1)}, half);
  b.output(b.node("Add", {wide, short_cut}), "y");
  const auto model = std::move(b).build();
  const tensor_type image{dtype::f32, {1, 8, 16, 16}};
  const auto ordered = order_by_live_bytes(*bound_for(model, {&image, 1}));
  REQUIRE(ordered);
  const auto given = names(model);
  CHECK(names(**ordered) ==
        std::vector<std::string>{given[0], given[3], given[1], given[2], given[4]});
  CHECK(bytes_over_cuts(**ordered, {&image, 1}) < bytes_over_cuts(model, {&image, 1}));
}

TEST_CASE("an order that cannot be improved stays") {
  model_builder b("chain", 13, 1);
  auto x = b.input("x", dtype::f32, {1, 8});
  for (int i = 0; i < 5; ++i) x = b.node("Neg", {x});
  b.output(x, "y");
  const tensor_type row{dtype::f32, {1, 8}};
  const auto bound = bound_for(std::move(b).build(), {&row, 1});
  const auto ordered = order_by_live_bytes(*bound);
  REQUIRE(ordered);
  CHECK(*ordered == bound->model);
}

TEST_CASE("random models compute the same bits in any order, and no more crosses their cuts") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    const auto model = make_random_model(seed);
    const auto inputs = make_inputs(model, seed);
    std::vector<tensor_type> types;
    for (const auto& input : inputs) types.push_back(input.type());
    const auto ordered = order_by_live_bytes(*bound_for(model, types));
    REQUIRE(ordered);
    CHECK((*ordered)->nodes().size() == model.nodes().size());
    CHECK(bytes_over_cuts(**ordered, types) <= bytes_over_cuts(model, types));
    const auto expected = run_graph(model, seed), got = run_graph(**ordered, seed);
    REQUIRE(expected.size() == got.size());
    for (std::size_t i = 0; i < got.size(); ++i) CHECK(identical(got[i], expected[i]));
  }
}

TEST_SUITE_END();
