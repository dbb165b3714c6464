#pragma once

#include "runtime/session/session_cache.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace shoal {

/// The bodies of one node, ready to run: sessions for each, compiled when their inputs are seen.
/// Constants of the graph around are constants of the bodies, so that weights are packed. One
/// thread at a time.
class session_bodies {
 public:
  /// `constants` are those of the graph of `node`, by value; empty tensors for the other values.
  static result<std::unique_ptr<session_bodies>> make(const graph_node& node,
                                                      std::span<const tensor> constants,
                                                      std::shared_ptr<weight_cache> weights,
                                                      const session_options& options);

  /// Outputs of the node; `inputs` are its own and those captured, null where one is left out.
  result<std::vector<tensor>> run_node(const graph_node& node,
                                       std::span<const tensor* const> inputs, workspace& arena);

 private:
  friend class running_bodies;
  struct body {
    std::unique_ptr<session_cache> sessions;
    std::vector<std::size_t> captured; ///< inputs of the node that are the last of the body
  };

  std::map<std::string, body, std::less<>> bodies_; ///< by attribute
};

} // namespace shoal
