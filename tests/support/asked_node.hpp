#pragma once

#include "tests/support/node_runner.hpp"

namespace shoal::test {

/// A node as the rules of its operator see it.
struct asked_node {
  explicit asked_node(const node_case& test);
  node_context context() const { return {node, operands}; }

  graph_node node; ///< without a definition when there is no such operator
  std::vector<operand> operands;
};

/// The elements [first, first + count) of `whole` along `axis`.
tensor cut(const tensor& whole, int axis, std::int64_t first, std::int64_t count);

/// `parts`, one behind the other along `axis`; the other extents are those of the first.
tensor join(const std::vector<tensor>& parts, int axis);

} // namespace shoal::test
