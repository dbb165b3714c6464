#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/graph/onnx_limits.hpp"
#include "runtime/graph/weight_source.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

namespace shoal {

/// Versions of ai.onnx that models may be written in.
inline constexpr int first_onnx_opset = 1;
inline constexpr int last_onnx_opset = 21;

struct import_options {
  import_limits limits;
  /// For external data; null: files in the model's folder, or none at all for a model in memory.
  weight_source* weights = nullptr;
  /// Accepts inputs without a type, as those of a stage may be (see subgraph.hpp).
  bool untyped_inputs = false;
  /// Large constants of a model's file stay in it until they are needed, and what only packs them
  /// keeps no copy: a model that is compiled at once is not in memory twice. The file must not be
  /// written to while the model lives. What notices fails: rewrite_for_cpu, binding and compiling
  /// with an error, other readers of constants by throwing (tensor/deferred_storage.hpp).
  bool defer_weights = false;
};

struct imported_model {
  std::shared_ptr<const graph> model;
  int ir_version = 0;
  std::map<std::string, int> opsets; ///< by domain; "" is ai.onnx
  std::string producer;              ///< name and version of what wrote the file; may be empty
  std::uint64_t parameter_bytes = 0; ///< of all constants of the graph
};

/// Reads an ONNX model: ai.onnx in opsets 1 to 21, com.microsoft 1 and shoal 1. Whatever the file
/// holds, the outcome is a graph that keeps every promise of graph.hpp, or an error:
///  - `not_found`, `io`: the file cannot be read;
///  - `malformed`: not an ONNX model, truncated, or contradicting itself;
///  - `unsupported`: an operator, version, element type or feature that Shoal does not do;
///  - `resource_exhausted`: beyond `options.limits`.
///
/// Constant nodes and initialisers (also those that old files list as inputs) become constants of
/// the graph. Their bytes are moved out of the parsed file or mapped, and copied only where their
/// place in memory does not suit their type. Optional outputs that nothing reads are left out, as
/// if the model had not named them. `value_info` is not kept: types inside the graph follow
/// from the operators' rules.
result<imported_model> import_onnx_file(const std::filesystem::path& path,
                                        const import_options& options = {});
result<imported_model> import_onnx_bytes(byte_span bytes, const import_options& options = {});

} // namespace shoal
