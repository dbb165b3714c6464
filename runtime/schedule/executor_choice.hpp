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

/// How fast the stages of a model are, idle and at full load.
struct route_pace {
  double latency_s = 0;  ///< through all stages, each on its fastest replica
  double interval_s = 0; ///< between two results: the slowest stage, all its replicas at work
};

/// The credits of an executor: ⌈1.25 · away / service⌉ + 1, from 2 (one in work, one to go on with)
/// to 64; `away_s` is how long a credit is out beyond the executor's own service.
std::size_t credits_for(double away_s, double service_s);

/// Late binding with credits: a part is bound to executors only when each has a free credit, so
/// that it waits where the whole cluster can still take it. A credit is out until the part has
/// passed all stages, so the other stages and the way there count as away.
///
/// Per stage the replica of least
///   (in flight + 1) · service + transfer + overdue
/// is chosen. Overdue is how long the executor's oldest part should have been back: it drives parts
/// away from what stalls. Replicas without a free credit compare too, with twice the time added in
/// which they work off the parts that wait; if one of them wins, waiting for it beats running on a
/// slower one, and there is no route now. So a slow executor idles at low load and works at high
/// load.
class executor_choice {
 public:
  /// `waiting`: the parts of this model in the queue besides this one. `avoid`: executors where an
  /// attempt failed before; used only where a stage has no other.
  std::optional<route_choice> choose(std::uint64_t model, std::uint64_t shape,
                                     const stage_replicas& stages, std::size_t waiting,
                                     std::span<const executor_id> avoid, instant now) const;

  /// What a route takes with nothing in its way, and how often one can end; nothing when a stage
  /// has no open replica.
  std::optional<route_pace> pace(std::uint64_t model, std::uint64_t shape,
                                 const stage_replicas& stages) const;

  /// Takes one credit of each of these distinct executors, for a part expected back at `due`.
  void acquire(std::span<const executor_id> executors, instant due);
  /// Gives them back; `due` is the one of the matching `acquire`.
  void release(std::span<const executor_id> executors, instant due);

  /// A closed node (suspect, draining) gets no new work.
  void set_open(const incarnation& node, bool open);
  bool is_open(const incarnation& node) const { return !closed_.contains(node); }

  /// The network's round trip between the scheduler and this executor.
  void set_round_trip(const executor_id& executor, double seconds);
  std::size_t in_flight(const executor_id& executor) const;
  /// Over all executors; 0 when nothing runs.
  std::size_t total_in_flight() const;
  void forget_node(const incarnation& node);

  service_estimates& estimates() { return estimates_; }
  const service_estimates& estimates() const { return estimates_; }

 private:
  struct executor_state {
    std::multiset<instant> due;
    double round_trip_s = 0;
  };
  struct candidate {
    std::size_t index = 0;
    double expected_s = 0;
  };

  /// Of all stages without queueing, each on its best open replica; nothing when one has none.
  std::optional<std::vector<double>> idle_times(std::uint64_t model, std::uint64_t shape,
                                                const stage_replicas& stages) const;
  std::optional<candidate> choose_replica(const work_class& work, std::span<const replica> replicas,
                                          double others_s, std::size_t waiting,
                                          std::span<const executor_id> avoid, instant now) const;
  const executor_state& state(const executor_id& executor) const;

  service_estimates estimates_;
  std::map<executor_id, executor_state> executors_;
  std::set<incarnation> closed_;
};

} // namespace shoal
