#pragma once

#include "runtime/schedule/instant.hpp"
#include "runtime/schedule/service_estimates.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace shoal {

/// A shard of one stage that is ready on an executor, with what the plan expects of it until
/// something was observed.
struct replica {
  executor_id executor;
  service_time planned;
};

/// Per stage, the replicas to choose from.
using stage_replicas = std::vector<std::vector<replica>>;

/// A replica for every stage, and when the part should be through.
struct route_choice {
  std::vector<std::size_t> replicas; ///< per stage, an index into its replicas
  double expected_s = 0;             ///< through all stages, queues included
};

/// Late binding with credits: a part is bound to executors only when each has a free credit, so
/// that it waits where the whole cluster can still take it. An executor has ⌈round trip / service⌉
/// + 1 credits, at least 2: one in work, one to go on with; the round trip is the time a credit is
/// away beyond its own service, other stages included. Per stage the replica of least
///   (in flight + 1) · service + transfer + overdue
/// is chosen; where that one has no credit, waiting for it beats running on a slower one, and there
/// is no route now. Overdue is how long the executor's oldest part should have been back: it drives
/// parts away from what stalls.
class executor_choice {
 public:
  std::optional<route_choice> choose(std::uint64_t model, std::uint64_t shape,
                                     const stage_replicas& stages, instant now) const;

  /// Takes one credit of each of these distinct executors, for a part expected back at `due`.
  void acquire(std::span<const executor_id> executors, instant due);
  /// Gives them back; `due` is the one of the matching `acquire`.
  void release(std::span<const executor_id> executors, instant due);

  /// A closed node (suspect, draining) gets no new work.
  void set_open(const incarnation& node, bool open);
  bool is_open(const incarnation& node) const { return !closed_.contains(node); }

  /// Sets how long a credit of this executor is away beyond its service.
  void set_round_trip(const executor_id& executor, double seconds, double service_seconds);
  std::size_t credits(const executor_id& executor) const;
  std::size_t in_flight(const executor_id& executor) const;
  /// Over all executors; 0 when nothing runs.
  std::size_t total_in_flight() const;
  void forget_node(const incarnation& node);

  service_estimates& estimates() { return estimates_; }
  const service_estimates& estimates() const { return estimates_; }

 private:
  struct executor_state {
    std::multiset<instant> due;
    std::size_t credits = 2;
  };

  double expected(const work_class& work, const replica& candidate, instant now) const;

  service_estimates estimates_;
  std::map<executor_id, executor_state> executors_;
  std::set<incarnation> closed_;
};

} // namespace shoal
