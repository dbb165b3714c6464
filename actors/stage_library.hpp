#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/graph/graph.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace shoal {

/// Graphs that are in this process anyway, by the digest of their package: whoever deploys a stage
/// to its own process hands the graph over, weights and all, without packing it. Thread-safe.
class stage_library {
 public:
  void add(const digest& name, std::shared_ptr<const graph> stage) {
    std::lock_guard lock(mutex_);
    graphs_[name] = std::move(stage);
  }
  /// Null when it is not here.
  std::shared_ptr<const graph> find(const digest& name) const {
    std::lock_guard lock(mutex_);
    const auto found = graphs_.find(name);
    return found == graphs_.end() ? nullptr : found->second;
  }
  void remove(const digest& name) {
    std::lock_guard lock(mutex_);
    graphs_.erase(name);
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<digest, std::shared_ptr<const graph>> graphs_;
};

} // namespace shoal
