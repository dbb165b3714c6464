#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/attributes.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

struct operator_def;

/// Index of a value (an edge) of a graph.
using value_id = std::uint32_t;
/// Stands for an optional input or output that a node does not have.
inline constexpr value_id no_value = UINT32_MAX;

/// One extent as a model declares it: fixed, or open and perhaps named ("batch").
struct dimension {
  std::int64_t extent = -1; ///< -1: bound at run time
  std::string symbol;       ///< equal non-empty symbols stand for equal extents
};

/// A tensor that flows through a graph, or a constant of it.
struct graph_value {
  std::string name;
  std::optional<dtype> type; ///< always set for constants, and for a model's inputs
  std::optional<std::vector<dimension>> dims; ///< as declared; absent when only the type is known
  tensor constant;                            ///< empty unless the value is an initialiser

  bool is_constant() const { return !constant.empty(); }
};

/// One operation of a graph.
struct graph_node {
  std::string name; ///< unique and never empty; made up at import where missing
  const operator_def* definition = nullptr;
  int opset = 0;                ///< version of the operator's domain the model imports
  std::vector<value_id> inputs; ///< `no_value` where an optional one is left out
  std::vector<value_id> outputs;
  attributes attrs;
  std::size_t captured = 0; ///< how many of the inputs, the last ones, are there for its bodies

  /// Those that the operator itself reads.
  std::span<const value_id> own_inputs() const {
    return std::span(inputs).first(inputs.size() - captured);
  }
  bool has_bodies() const;
};

/// A model after import: immutable, validated, its nodes in topological order. Constants share
/// their bytes with whoever loaded them. Build one with `graph_builder`.
class graph {
 public:
  const std::string& name() const { return name_; }
  std::span<const graph_value> values() const { return values_; }
  const graph_value& value(value_id id) const { return values_[id]; }
  std::span<const graph_node> nodes() const { return nodes_; }
  /// In the model's order; never constants.
  std::span<const value_id> inputs() const { return inputs_; }
  std::span<const value_id> outputs() const { return outputs_; }

  /// Index into `inputs()`; the error lists the names there are.
  result<std::size_t> input_index(std::string_view name) const;

 private:
  friend class graph_builder;
  std::string name_;
  std::vector<graph_value> values_;
  std::vector<graph_node> nodes_;
  std::vector<value_id> inputs_;
  std::vector<value_id> outputs_;
};

/// Assembles a graph, from nothing or from another one. Members are open: `build` checks them.
class graph_builder {
 public:
  graph_builder() = default;
  explicit graph_builder(const graph& original);

  value_id add_value(graph_value value);
  value_id add_constant(std::string name, tensor value);

  /// Sorts the nodes topologically (keeping their order where it is one), drops values that nothing
  /// refers to (graph inputs stay), and checks that every value has one source, every operand
  /// exists, names of inputs and outputs are unique and no cycle remains.
  result<graph> build() &&;

  std::string name;
  std::vector<graph_value> values;
  std::vector<graph_node> nodes;
  std::vector<value_id> inputs;
  std::vector<value_id> outputs;
};

/// Operand types against the graph's declared inputs: count, element type, rank, fixed extents and
/// equal symbols. Errors name the input, what was expected and what came.
result<void> check_inputs(const graph& model, std::span<const tensor_type> inputs);

/// Whether some node runs a graph of its own.
bool has_bodies(const graph& model);

/// As in "float32[N,3,224,224]"; "?" for unnamed open extents.
std::string describe(const graph_value& value);

} // namespace shoal
