#pragma once

#include "actors/device_thread.hpp"
#include "actors/interfaces.hpp"
#include "actors/model_store.hpp"
#include "actors/planning.hpp"
#include "actors/stage_library.hpp"

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace shoal {

/// What a deployer works with.
struct deployer_equipment {
  peer head;
  process_store store;
  model_store_actor fetcher;
  std::shared_ptr<stage_library> library;
  std::shared_ptr<device_thread> planner; ///< measures and plans: never a thread of the actors
  double reference_flops_per_second = 0;  ///< of this machine, one thread
  bool pack = true;                       ///< false: all nodes are in this process
};

/// What the planner's thread made of a task.
struct planning_outcome {
  std::string model;
  std::uint64_t epoch = 0;
  std::shared_ptr<const graph> imported;
  std::optional<planning_result> plan;
  std::optional<error> failure;
  bool incomplete = false; ///< content was corrupt or is gone: fetch again
};

struct deployer_state {
  static inline const char* name = "deployer";

  enum class step : std::uint8_t { fetching, planning, deploying, ready, failed };

  /// A model that is served, or on its way there.
  struct served_model {
    model_order order;
    std::string title; ///< its name without what makes that unique
    step at = step::fetching;
    std::string detail;
    std::uint64_t epoch = 0; ///< of the plan that is made or used
    std::shared_ptr<std::atomic<std::uint64_t>> progress;
    std::uint64_t progress_total = 0;
    int fetches = 0;
    std::shared_ptr<const graph> imported;
    std::shared_ptr<const graph> rewritten;
    costs_by_threads costs;
    std::optional<planning_result> plan; ///< the one being deployed or used
    std::vector<node_offer> planned_over;
    std::vector<std::optional<shard_ready>> shards;
    std::vector<caf::typed_response_promise<model_card>> waiting;
    bool stale = false; ///< the cluster changed while it was planned: plan again
  };
  struct member {
    node_offer offer;
    node_agent_actor agent;
    bool open = true; ///< takes new stages
  };

  std::map<std::string, served_model> models;
  std::map<incarnation, member> members; ///< in a fixed order: plans do not depend on hashes
  scheduler_actor scheduler;
  std::uint64_t next_epoch = 1;
};

/// Fetches models, has them planned, deploys their stages, tells the scheduler. When a node that
/// holds stages is lost or drains, plans anew over those that are left; parts wait in the
/// scheduler's queue meanwhile.
deployer_actor::behavior_type deployer(deployer_actor::stateful_pointer<deployer_state> self,
                                       deployer_equipment equipment, scheduler_actor scheduler);

} // namespace shoal
