#pragma once

#include "runtime/graph/graph.hpp"
#include "runtime/operators/operator.hpp"

#include <fmt/format.h>

#include <random>

namespace shoal::test {

/// An operator with any number of inputs and outputs, for graphs of which only the structure
/// matters.
inline const operator_def& any_operator() {
  static const operator_def def{.name = "Any",
                                .domain = "shoal",
                                .first_opset = 1,
                                .last_opset = 1,
                                .min_inputs = 0,
                                .max_inputs = -1,
                                .max_outputs = -1};
  return def;
}

/// A random DAG: several inputs and constants, nodes with one to three inputs, some outputs read
/// never, some values read often, some inputs or early values also outputs of the graph. With
/// `importable` every node is a Relu or Identity, so that the importer knows it.
inline graph random_graph(std::uint64_t seed, bool importable = false) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  graph_builder b;
  b.name = fmt::format("random_{}", seed);
  std::vector<value_id> readable;
  const auto pick = [&] { return readable[below(readable.size())]; };
  for (std::size_t i = 0, n = 1 + below(3); i < n; ++i) {
    graph_value input;
    input.name = fmt::format("in{}", i);
    input.type = dtype::f32;
    input.dims = {{-1, "batch"}, {3 + static_cast<std::int64_t>(below(2)), ""}};
    b.inputs.push_back(b.add_value(input));
    readable.push_back(b.inputs.back());
  }
  for (std::size_t i = 0, n = below(4); i < n; ++i)
    readable.push_back(
        b.add_constant(fmt::format("w{}", i), tensor::of<float>({2}, {float(i), -1})));
  const auto* relu = *find_operator("Relu", "", 17, "");
  const auto* identity = *find_operator("Identity", "", 17, "");
  for (std::size_t n = 0, count = 1 + below(30); n < count; ++n) {
    graph_node node;
    node.name = fmt::format("node{}", n);
    node.definition = !importable ? &any_operator() : below(2) == 0 ? relu : identity;
    node.opset = importable ? 17 : 1;
    const auto inputs = importable ? 1 : below(4);
    for (std::size_t i = 0; i < inputs; ++i)
      node.inputs.push_back(!importable && below(8) == 0 ? no_value : pick());
    const auto outputs = importable ? 1 : 1 + below(2);
    for (std::size_t o = 0; o < outputs; ++o) {
      graph_value value;
      value.name = fmt::format("v{}_{}", n, o);
      node.outputs.push_back(b.add_value(value));
    }
    if (below(3) == 0) node.attrs.set("__ints", std::vector<std::int64_t>{1, -2});
    if (below(3) == 0) node.attrs.set("__float", 0.1f * static_cast<float>(below(9)));
    if (below(5) == 0) node.attrs.set("__text", std::string("a\0b", 3));
    if (below(5) == 0) node.attrs.set("__tensor", tensor::of<std::int64_t>({1}, {7}));
    readable.insert(readable.end(), node.outputs.begin(), node.outputs.end());
    b.nodes.push_back(std::move(node));
  }
  std::vector<bool> is_output(b.values.size(), false);
  for (std::size_t i = 0, n = 1 + below(4); i < n; ++i) {
    const auto id = i == 0 ? readable.back() : pick();
    if (is_output[id]) continue;
    is_output[id] = true;
    b.outputs.push_back(id);
  }
  auto built = std::move(b).build();
  return *std::move(built);
}

} // namespace shoal::test
