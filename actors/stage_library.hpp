#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/graph/graph.hpp"

#include <memory>
#include <mutex>
#include <unordered_map>

namespace shoal {

/// Graphs that are in this process anyway, by the digest of their package: whoever deploys a stage
/// to its own process hands the graph over, weights and all, without packing it. They are here as
/// long as somebody else holds them. Thread-safe.
class stage_library {
 public:
  void add(const digest& name, const std::shared_ptr<const graph>& stage) {
    std::lock_guard lock(mutex_);
    std::erase_if(graphs_, [](const auto& entry) { return entry.second.expired(); });
    graphs_[name] = stage;
  }
  /// Null when it is not here.
  std::shared_ptr<const graph> find(const digest& name) const {
    std::lock_guard lock(mutex_);
    const auto found = graphs_.find(name);
    return found == graphs_.end() ? nullptr : found->second.lock();
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<digest, std::weak_ptr<const graph>> graphs_;
};

} // namespace shoal
