#pragma once

#include "actors/device_thread.hpp"
#include "actors/interfaces.hpp"
#include "actors/messages.hpp"
#include "actors/model_store.hpp"
#include "actors/post_office.hpp"
#include "actors/stage_library.hpp"
#include "actors/stage_program.hpp"
#include "runtime/schedule/lease_holder.hpp"

#include <functional>
#include <map>
#include <optional>
#include <vector>

namespace shoal {

/// One device of a node, as its agent knows it.
struct node_device {
  device_offer offer;
  std::shared_ptr<device_thread> thread;
  executor_actor executor;
};

/// What a node agent works with.
struct node_equipment {
  std::string name;
  std::vector<node_device> devices;
  std::shared_ptr<post_office> office;
  process_store store;
  model_store_actor fetcher;
  std::shared_ptr<stage_library> library;
  membership_actor membership;
  /// Called once, when the agent ends: drained, or the reason why it lost the cluster.
  std::function<void(std::optional<error>)> on_end;
};

/// A stage that its device has compiled, or why it could not.
struct stage_load {
  deploy_order order;
  std::shared_ptr<stage_program> program;
  std::optional<error> failure;
  bool incomplete = false; ///< content was corrupt or is gone: fetch again
};

struct node_agent_state {
  static inline const char* name = "node_agent";

  struct loaded_shard {
    shard_actor actor;
    mailbox address;
    std::shared_ptr<stage_program> program;
    std::uint32_t device = 0;
    std::uint64_t memory_bytes = 0;
  };
  /// Model, epoch, stage, device.
  using shard_name = std::tuple<std::string, std::uint64_t, std::uint32_t, std::uint32_t>;

  std::map<shard_name, loaded_shard> shards;
  struct pending_stage {
    caf::typed_response_promise<shard_ready> answer;
    int fetches = 0;
    std::uint64_t fetched_bytes = 0;
  };
  std::map<shard_name, pending_stage> loading;
  std::optional<lease_holder> lease;
  std::optional<instant> idle_since; ///< while draining: since when no part has come
  bool draining = false;
  bool ended = false;
};

/// Registers with the cluster, keeps its lease by heartbeats, loads and unloads shards. Ends when
/// drained, refused, or when the lease is lost: a node must then start again under a new
/// incarnation.
node_agent_actor::behavior_type
node_agent(node_agent_actor::stateful_pointer<node_agent_state> self, node_equipment equipment);

} // namespace shoal
