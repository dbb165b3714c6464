#pragma once

#include "runtime/graph/rewrite.hpp"
#include "runtime/session/session.hpp"
#include "tests/support/node_runner.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

namespace shoal::test {

/// `original` rewritten, which must not fail.
inline graph rewritten(const graph& original, const rewrite_options& options = {}) {
  auto after = rewrite(original, options);
  REQUIRE_MESSAGE(after, (after ? std::string() : after.error().message()));
  return *std::move(after);
}

/// Types of the inputs of a graph whose inputs have fixed extents.
inline std::vector<tensor_type> input_types(const graph& model) {
  std::vector<tensor_type> types;
  for (const auto id : model.inputs()) {
    types.push_back({*model.value(id).type, {}});
    for (const auto& d : *model.value(id).dims) types.back().dims.push_back(d.extent);
  }
  return types;
}

inline std::vector<tensor> run_graph(const graph& model, const std::vector<tensor>& inputs) {
  std::vector<operand> types;
  for (const auto& input : inputs) types.push_back({input.type(), nullptr, true});
  const auto compiled =
      session::compile(std::make_shared<graph>(model), types, std::make_shared<weight_cache>());
  REQUIRE_MESSAGE(compiled, (compiled ? std::string() : compiled.error().message()));
  workspace arena;
  auto outputs = (*compiled)->run(inputs, arena);
  REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
  return *std::move(outputs);
}

/// Outputs of a graph whose inputs have fixed extents, for inputs made from `seed`.
inline std::vector<tensor> run_graph(const graph& model, std::uint64_t seed) {
  std::vector<tensor> inputs;
  for (const auto& type : input_types(model)) inputs.push_back(random_tensor(type, seed++));
  return run_graph(model, inputs);
}

/// Runs both graphs on the same random inputs.
inline void check_same_outputs(const graph& before, const graph& after, double tolerance = 1e-5) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    const auto expected = run_graph(before, seed), got = run_graph(after, seed);
    REQUIRE(expected.size() == got.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(mismatch(got[i], expected[i], tolerance, tolerance) <= 1);
  }
}

} // namespace shoal::test
