#pragma once

#include "actors/node_agent.hpp"
#include "actors/process.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace shoal {

struct node_options {
  std::string name; ///< empty: the machine's, with the process id
  int executors = 1;
  int threads_per_executor = 0;   ///< 0: the usable cores, shared between the executors
  std::uint64_t memory_bytes = 0; ///< all executors together; 0: 80 % of what is available
  /// When the node has ended: drained (no error), or why it lost the cluster. Once, any thread.
  std::function<void(std::optional<error>)> on_end;
};

/// Hosts executors and offers them to a cluster. Lives within its process and actor system.
class node {
 public:
  /// Measures its devices first (0.2 s), then joins; whether that succeeds, `on_end` tells.
  static result<std::unique_ptr<node>> start(caf::actor_system& system, process& home,
                                             const membership_actor& membership,
                                             node_options options);
  /// Leaves at once; parts that are being computed are lost to it.
  ~node();

  /// Finishes what it has and takes no more; `on_end` tells when it is through.
  void drain();

 private:
  node() = default;

  std::vector<node_device> devices_;
  node_agent_actor agent_;
};

/// Compute threads that a node of these options has.
int compute_threads(const node_options& options);

} // namespace shoal
