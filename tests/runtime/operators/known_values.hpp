#pragma once

#include "tests/support/model_builder.hpp"
#include "tests/support/operator_properties.hpp"

#include <doctest/doctest.h>

/// Short forms for tests of one node.
namespace shoal::test {

/// An input that is known before the first run.
inline node_input constant(std::vector<std::int64_t> values) {
  return {tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, values), true};
}

/// 0, 1, 2, ...
inline tensor counting(const shape& dims) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < dims.element_count(); ++i) values.push_back(static_cast<float>(i));
  return tensor::of<float>(dims, values);
}

/// All outputs, by the first kernel that applies or the one of that name.
inline std::vector<tensor> run_all(const node_case& test, std::string_view kernel = "") {
  const auto outputs = run_node(test, kernel);
  REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message()));
  return *outputs;
}

inline tensor run(const node_case& test, std::string_view kernel = "") {
  return run_all(test, kernel)[0];
}

/// What the shape rule says against the node; empty when it has nothing against it.
inline std::string refusal(const node_case& test) {
  const auto types = infer_node(test);
  return types ? "" : types.error().message();
}

} // namespace shoal::test
