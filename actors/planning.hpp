#pragma once

#include "actors/messages.hpp"
#include "actors/stage_library.hpp"
#include "runtime/plan/cost_model.hpp"
#include "runtime/plan/device_profile.hpp"
#include "runtime/plan/plan.hpp"
#include "runtime/schedule/service_estimates.hpp"
#include "runtime/store/memory_chunk_source.hpp"

#include <map>
#include <memory>
#include <vector>

namespace shoal {

/// What a model's layers cost on this machine, by the number of threads; one thread is the
/// reference.
using costs_by_threads = std::map<std::uint32_t, std::shared_ptr<const model_costs>>;

/// What planning starts from.
struct planning_task {
  model_order order;
  std::string title; ///< what people call it
  std::uint64_t epoch = 1;
  std::shared_ptr<const graph> model;     ///< as imported
  std::vector<node_offer> nodes;          ///< who may host stages
  std::map<executor_id, double> slowness; ///< of devices, where it was learned
  peer head;
  double reference_flops_per_second = 0;    ///< of this machine, one thread
  costs_by_threads known_costs;             ///< of an earlier plan for the same order
  std::shared_ptr<const graph> known_graph; ///< the rewritten graph they belong to, or null
  bool pack = true;                         ///< false: stages are only used in this process
};

/// A stage, ready to be sent to its node; once for every device that runs it.
struct planned_stage {
  std::size_t node = 0;     ///< index in `planning_task::nodes`
  std::uint32_t device = 0; ///< index among the node's devices
  double expected_seconds = 0;
  double claimed_seconds = 0; ///< the same if the device were as fast as it says
  deploy_order order;
  std::shared_ptr<const graph> content; ///< keeps it in the `stage_library`
};

struct planning_result {
  std::shared_ptr<const graph> rewritten;
  costs_by_threads costs;
  execution_plan plan;
  std::vector<planned_stage> stages; ///< in order, replicas beside each other
  model_card card;
};

/// Rewrites the model, measures it, cuts it over the nodes' devices and packs the stages, offering
/// them in `memory` and `library`. Takes seconds: for a thread of its own.
result<planning_result> make_plan(const planning_task& task, memory_chunk_source& memory,
                                  stage_library& library);

} // namespace shoal
