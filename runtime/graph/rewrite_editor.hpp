#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace shoal {

/// A graph while rules change it: knows at any time who writes and who reads each value. Nodes keep
/// their index; what is removed leaves a gap.
class graph_editor {
 public:
  /// `types` is one per value of `model`, or empty.
  graph_editor(const graph& model, std::span<const tensor_type> types);

  /// Indices to iterate over; those of removed nodes are not `alive`.
  std::size_t node_count() const { return b_.nodes.size(); }
  bool alive(std::size_t n) const { return alive_[n]; }
  const graph_node& node(std::size_t n) const { return b_.nodes[n]; }
  /// Whether node `n` is alive and that operator of ai.onnx.
  bool is(std::size_t n, std::string_view op) const;

  std::size_t value_count() const { return b_.values.size(); }
  const graph_value& value(value_id id) const { return b_.values[id]; }
  std::span<const value_id> inputs() const { return b_.inputs; }
  std::span<const value_id> outputs() const { return b_.outputs; }
  bool is_output(value_id id) const { return is_output_[id]; }
  bool is_input(value_id id) const { return is_input_[id]; }

  /// Null unless `id` is a constant; `no_value` is none.
  const tensor* constant(value_id id) const;
  /// Input `i` of node `n`; `no_value` when left out.
  value_id input(std::size_t n, std::size_t i) const;
  std::optional<tensor_type> type(value_id id) const;
  std::optional<dtype> element_type(value_id id) const;

  std::optional<std::size_t> producer(value_id id) const;
  std::size_t reads(value_id id) const { return readers_[id].size(); }
  bool is_needed(value_id id) const;
  /// The node that alone writes `id`, if `reader` alone reads it, once, and it is no graph output:
  /// then nothing notices when the two become one.
  std::optional<std::size_t> private_producer(value_id id, std::size_t reader) const;

  void remove(std::size_t n);
  /// Puts `node` in the place of node `n`.
  void replace(std::size_t n, graph_node node);
  std::size_t append(graph_node node);
  void redirect_reads(value_id from, value_id to);
  /// Removes node `n`, whose output 0 equals its input `i`. False, and nothing changed, if both
  /// names must stay.
  bool bypass(std::size_t n, std::size_t i);

  /// `name` is made unique.
  value_id add_value(std::string name, std::optional<dtype> type);
  value_id add_constant(std::string name, tensor content);
  /// Gives a value that no node reads or writes any more, or that was constant, a content.
  void make_constant(value_id id, tensor content);
  void set_element_type(value_id id, dtype type);
  std::string unique_name(std::string base);

  result<graph> finish() &&;

 private:
  void link(std::size_t n);
  void unlink(std::size_t n);
  void grow();

  graph_builder b_;
  std::vector<std::optional<tensor_type>> types_;
  std::vector<bool> alive_;
  std::vector<bool> is_input_;
  std::vector<bool> is_output_;
  std::vector<std::optional<std::size_t>> producer_;
  std::vector<std::vector<std::size_t>> readers_; ///< one entry per read
  std::unordered_set<std::string> names_;         ///< of values and nodes
};

} // namespace shoal
