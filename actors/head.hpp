#pragma once

#include "actors/device_thread.hpp"
#include "actors/gatekeeper.hpp"
#include "actors/membership.hpp"
#include "actors/process.hpp"
#include "runtime/schedule/membership_table.hpp"
#include "runtime/schedule/scheduler_core.hpp"

#include <memory>

namespace shoal {

struct head_options {
  bool pack = true; ///< false: every node is in this process, stages need not travel
  scheduler_options scheduler;
  membership_options membership;
  connection_problem on_problem; ///< at the control port, for the log
  member_observer on_member;     ///< for the log
};

/// The actors that a cluster has once: membership, scheduler, deployer. Lives within its process
/// and actor system.
class head {
 public:
  /// Measures this machine first (0.2 s): the yardstick for the nodes.
  static result<std::unique_ptr<head>> start(caf::actor_system& system, process& home,
                                             head_options options);
  /// Sends the actors home.
  ~head();

  const cluster_doors& doors() const { return doors_; }

  /// Makes the head reachable at `host`:`port` (0: any free port) and returns the port. The error
  /// says whether the port is taken.
  result<std::uint16_t> publish(const std::string& host, std::uint16_t port);

 private:
  head(caf::actor_system& system, cluster_doors doors, connection_problem on_problem)
      : system_(system), doors_(std::move(doors)), on_problem_(std::move(on_problem)) {}

  caf::actor_system& system_;
  cluster_doors doors_;
  connection_problem on_problem_;
  front_desk_actor desk_;
  std::uint16_t port_ = 0;
};

} // namespace shoal
