#pragma once

#include <mutex>
#include <shared_mutex>

namespace shoal {

class client;

/// How models and ensembles reach the client of their runtime: not any more once that ends.
class client_door {
 public:
  explicit client_door(client& inside) : inside_(&inside) {}
  void close() {
    const std::unique_lock lock(mutex_);
    inside_ = nullptr;
  }
  /// Whether `visit` could be called with the client.
  template <class Visit>
  bool enter(const Visit& visit) {
    const std::shared_lock lock(mutex_);
    if (inside_ != nullptr) visit(*inside_);
    return inside_ != nullptr;
  }

 private:
  std::shared_mutex mutex_;
  client* inside_;
};

} // namespace shoal
