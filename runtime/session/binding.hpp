#pragma once

#include "runtime/operators/operator.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace shoal {

/// A graph whose input types are known, and with them the type of every value.
struct bound_graph {
  std::shared_ptr<const graph> model;
  std::vector<operand> values; ///< one per value of the graph; `constant` when known by now
  std::vector<bool> folded;    ///< one per node: all outputs are constants, nothing is left to run
  std::vector<bool> open;      ///< one per node: its types depend on values not known yet
  std::optional<error> why_open; ///< of the first such node
  std::deque<tensor> constants;  ///< owns what folding made; `operand::constant` points here
  /// Output types of the nodes that leave an output out, whose type no value holds.
  std::map<std::size_t, std::vector<tensor_type>> with_gaps;

  const operand& value(value_id id) const { return values[id]; }
  /// Inputs and output types of node `index`, as its rules and kernels want them.
  std::vector<operand> operands_of(std::size_t index) const;
  std::vector<tensor_type> output_types_of(std::size_t index) const;
};

/// The types that are known, by the names of the values.
std::map<std::string, tensor_type> types_by_name(const bound_graph& bound);

/// Infers every type from those of the graph inputs, and folds what depends on constants and types
/// alone: shape arithmetic disappears here. An input with `constant` set is taken as known content,
/// which models need whose shapes depend on an input's values. Checks inputs by `check_inputs`.
result<std::unique_ptr<bound_graph>> bind_types(std::shared_ptr<const graph> model,
                                                std::span<const operand> inputs);

/// The same as far as it goes: `open` are the nodes whose output types depend on values that are
/// known only while running, and all behind them; their outputs are not `present`.
result<std::unique_ptr<bound_graph>> bind_known_types(std::shared_ptr<const graph> model,
                                                      std::span<const operand> inputs);

/// Runs one node on constant inputs (null where an optional one is left out).
result<std::vector<tensor>> evaluate_node(const graph_node& node,
                                          std::span<const tensor* const> inputs);
result<std::vector<tensor>> evaluate_node_on(int threads, const graph_node& node,
                                             std::span<const tensor* const> inputs);

} // namespace shoal
