#pragma once

#include "kernels/kernel.hpp"
#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/operators/weight_cache.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace shoal {

/// What is known of one input of a node once the graph's input types are bound.
struct operand {
  tensor_type type;
  const tensor* constant = nullptr; ///< set when the content is known before the first run
  bool present = false;             ///< false for an optional input that is left out
};

/// A node together with its bound inputs: all that an operator's rules look at.
struct node_context {
  const graph_node& node;
  std::span<const operand> inputs; ///< one per node input

  bool has(std::size_t i) const { return i < inputs.size() && inputs[i].present; }
  const shape& dims(std::size_t i) const { return inputs[i].type.dims; }
  dtype type(std::size_t i) const { return inputs[i].type.type; }
  const attributes& attrs() const { return node.attrs; }
};

/// An error about this node: "Conv 'body/conv1' (opset 13): …".
error node_error(const graph_node& node, errc code, std::string_view what);

/// What prepares a kernel knows beyond the node itself.
struct prepare_context : node_context {
  std::span<const tensor_type> outputs;  ///< as inferred
  std::span<const layout> input_layouts; ///< what the producers write
  int threads = 1;                       ///< OpenMP threads that `run` will have
  weight_cache& weights;                 ///< packed forms of constants, shared between sessions
};

/// What one node costs, whatever computes it.
struct operator_cost {
  double flops = 0; ///< multiplications and additions counted apart
  double bytes = 0; ///< read and written, each operand once
};

/// Elements first..last, both included, along one axis.
struct interval {
  std::int64_t first = 0;
  std::int64_t last = -1;
  friend bool operator==(const interval&, const interval&) = default;
};

/// Marks an input that is whole while others are cut, as constants are.
inline constexpr int unsplit = -1;

/// One way to compute an operator.
struct kernel_entry {
  std::string_view name; ///< as in "onednn", "reference"; shown in profiles
  /// Null when this kernel does not do these types, extents or attributes; an error only when no
  /// other kernel could succeed either.
  result<std::unique_ptr<kernel>> (*prepare)(const prepare_context&);
};

/// Runs the graphs that a node has as attributes.
class body_runner {
 public:
  virtual ~body_runner() = default;
  /// The outputs of the body in attribute `name`. `inputs` are those that the operator gives it;
  /// what it reads of the graphs around is known here.
  virtual result<std::vector<tensor>> run(std::string_view name,
                                          std::span<const tensor> inputs) = 0;
};

/// Everything the system ever asks of an operator; one constant per operator and file. Partitioner,
/// tiler and session know no operator by name.
struct operator_def {
  std::string_view name;
  std::string_view domain = ""; ///< "" is ai.onnx
  int first_opset = 1;          ///< versions of the domain for which the rules below hold
  int last_opset = 21;
  int min_inputs = 1;
  int max_inputs = 1;  ///< -1: any number
  int max_outputs = 1; ///< -1: any number

  /// Attributes that can be refused without knowing shapes. May be null.
  result<void> (*check)(const graph_node&) = nullptr;

  /// Types of all outputs. Checks ranks, extents and element types of the inputs; errors by
  /// `node_error`. An output extent that depends on values needs the input as `constant`, and is
  /// `errc::needs_values` without.
  result<std::vector<tensor_type>> (*infer)(const node_context&) = nullptr;

  /// May be null: then one operation per output element.
  operator_cost (*cost)(const node_context&, std::span<const tensor_type> outputs) = nullptr;

  /// The axis of `input` that the outputs' `axis` is computed along: another one where axes move
  /// (Transpose) or are counted from the right (broadcasting). nullopt where the input has none:
  /// it is needed whole then. Null: the axis of the same number.
  std::optional<int> (*input_axis)(const node_context&, std::size_t input, int axis) = nullptr;

  /// Elements of `input` along its `input_axis` that the elements `wanted` of the outputs along
  /// `axis` are computed from, clipped to the input and perhaps none; nullopt when that is the
  /// whole axis, or when the input has no such axis. Outputs that lack the axis, or have another
  /// extent there than output 0, are not meant. Null: always nullopt.
  std::optional<interval> (*receptive_field)(const node_context&, std::size_t input, int axis,
                                             interval wanted) = nullptr;

  /// Input i comes cut along axis `split[i]` (or `unsplit`). The axis along which the outputs then
  /// are cut, if each part of them depends on the same part of the inputs alone. Null: never.
  std::optional<int> (*split_axis)(const node_context&, std::span<const int> split) = nullptr;

  /// True when output 0 is input 0 under another shape: it shares the memory, nothing runs.
  bool is_view = false;

  /// The outputs, when they follow from the types of the inputs (Shape), or are attributes
  /// (Constant). May be null.
  result<std::vector<tensor>> (*evaluate)(const node_context&) = nullptr;

  /// For operators that run graphs (If, Loop, Scan): the outputs, when all own inputs are constant.
  /// Set: then none of the fields above that take types is.
  result<std::vector<tensor>> (*run_bodies)(const node_context&, body_runner&) = nullptr;

  /// Fastest that applies first, reference last. Empty for views and for what `evaluate` covers.
  std::span<const kernel_entry> kernels = {};
};

/// The operator of that name and domain whose versions include `opset`; the error names what is
/// supported. `node_name` is for the message.
result<const operator_def*> find_operator(std::string_view name, std::string_view domain, int opset,
                                          std::string_view node_name);

/// Every operator there is, sorted by domain and name.
std::span<const operator_def* const> all_operators();

} // namespace shoal
