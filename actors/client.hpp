#pragma once

#include "actors/ensemble_request.hpp"
#include "actors/messages.hpp"
#include "actors/process.hpp"
#include "actors/request.hpp"
#include "actors/shoal.hpp"

#include <atomic>
#include <memory>

namespace shoal {

/// The client side of a runtime: a splitter and an aggregator for the requests of this process, and
/// the conversation with the head. Lives within its process and actor system. Thread-safe.
class client {
 public:
  client(caf::actor_system& system, process& home, cluster_doors doors);
  ~client();

  /// Publishes the graph to the head and has it deployed.
  result<model_card> load(std::shared_ptr<const graph> graph, const load_options& options);
  result<cluster_summary> status(std::chrono::milliseconds timeout);
  /// Content from the head's store.
  result<std::string> fetch_text(const digest& name, std::uint64_t bytes);

  std::uint64_t infer(const std::string& model, std::vector<tensor> inputs,
                      std::function<void(result<inference>)> answer, const infer_options& options);
  void cancel(std::uint64_t request);

  /// `what` lacks its id, times and answer, parts and priority.
  std::uint64_t infer_ensemble(std::shared_ptr<ensemble_request> what,
                               std::function<void(result<ensemble_response>)> answer,
                               const infer_options& options);
  void cancel_ensemble(std::uint64_t request);

 private:
  result<model_order> publish(const std::shared_ptr<const graph>& graph,
                              const load_options& options);
  result<model_card> order(const model_order& order, const load_options& options);

  caf::actor_system& system_;
  process& home_;
  cluster_doors doors_;
  aggregator_actor aggregator_;
  splitter_actor splitter_;
  ensembler_actor ensembler_;
  mailbox results_;
  std::atomic<std::uint64_t> next_request_;
};

} // namespace shoal
