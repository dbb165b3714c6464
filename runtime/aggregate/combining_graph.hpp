#pragma once

#include "runtime/session/session_cache.hpp"

#include <memory>
#include <mutex>
#include <span>

namespace shoal {

/// An ONNX graph that makes one answer of those of the members: an input for each of them, in their
/// order, and one output. Compiled once for every combination of types. Thread-safe: one run at a
/// time, in the caller's thread.
class combining_graph {
 public:
  explicit combining_graph(std::shared_ptr<const graph> model)
      : model_(model), sessions_(std::move(model), {}) {}

  const graph& model() const { return *model_; }
  /// Errors name the graph.
  result<tensor> run(std::span<const tensor> members);

 private:
  std::shared_ptr<const graph> model_;
  std::mutex mutex_;
  session_cache sessions_;
  workspace arena_;
};

} // namespace shoal
