#pragma once

#include "runtime/operators/operator.hpp"
#include "runtime/session/session_layouts.hpp"
#include "runtime/session/workspace.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace shoal {

struct session_options {
  int threads = 1;           ///< OpenMP threads of every run
  bool entries_apart = true; ///< run a batch entry by entry where that pays
  /// Kernels overwrite inputs that nobody reads any more, and producers write where a Concat would
  /// copy to. Without it every value has memory of its own while it lives.
  bool share_memory = true;
  /// A value stays in the layout that it was computed in until something needs it in another.
  /// Without it every value is made plain at once.
  bool keep_layouts = true;
  buffer_pool* pool = &buffer_pool::shared(); ///< where output tensors come from
};

/// Where the time of a session goes: one entry per node that runs, in the order they run.
struct node_profile {
  std::size_t node = 0;    ///< index in the graph
  std::string_view kernel; ///< as in "onednn"
  double seconds = 0;      ///< of the last profiled run, reorders of the inputs included
};

/// A graph compiled for fixed input types: kernels prepared, layouts settled, memory planned. A run
/// allocates only its outputs, from a pool. One thread at a time; that thread's number of OpenMP
/// threads is set by each run. Weights in packed form are shared through the `weight_cache`.
class session {
 public:
  /// `inputs` as for `bind_types`: types, and contents where shapes depend on them. A graph of
  /// which not all types follow from them runs in steps; its inputs may then be in any layout, and
  /// its outputs are plain.
  static result<std::unique_ptr<session>> compile(std::shared_ptr<const graph> model,
                                                  std::span<const operand> inputs,
                                                  std::shared_ptr<weight_cache> weights,
                                                  const session_options& options = {},
                                                  const session_layouts& outside = {});
  virtual ~session() = default;

  /// Outputs in the graph's order. The types and formats of `inputs` are those compiled for, or it
  /// is an error.
  virtual result<std::vector<tensor>> run(std::span<const tensor> inputs, workspace& arena) = 0;
  /// The same, timing every node into `profile()`.
  virtual result<std::vector<tensor>> run_profiled(std::span<const tensor> inputs,
                                                   workspace& arena) = 0;

  virtual std::span<const node_profile> profile() const = 0;
  /// Empty when they are not known before a run.
  virtual std::span<const tensor_type> output_types() const = 0;
  virtual std::size_t workspace_bytes() const = 0;
  /// Adds which type each value of the graph has, or had in the last run, by name.
  virtual void list_types(std::map<std::string, tensor_type>& types) const = 0;
  /// Whether a kernel is at work whose bits depend on the extent of the batch.
  virtual bool varies_with_batch() const = 0;
};

} // namespace shoal
