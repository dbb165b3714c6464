#pragma once

#include "runtime/schedule/service_estimates.hpp"

#include <cstdint>
#include <map>
#include <span>

namespace shoal {

/// What a stage took of one part, beside what it was planned to take by what the device says of
/// itself.
struct paced_stage {
  executor_id executor;
  double planned_s = 0;
  double took_s = 0;
};

/// How much slower devices are than they say, learned from the stages of served models: of those
/// that a plan uses, the one that does best is taken at its word, and the others are compared with
/// it. What makes all of them slower, as larger batches than planned for, says nothing of any.
class device_paces {
 public:
  static constexpr double weight = 0.1;             ///< of a new part
  static constexpr std::uint64_t parts_ignored = 5; ///< of a plan: its sessions are compiled first
  static constexpr std::uint64_t parts_needed = 20; ///< before anything is said
  static constexpr double noise = 1.2;          ///< what takes less than so much longer is equal
  static constexpr std::size_t most_plans = 64; ///< the oldest go

  /// All stages of a part. Plans are told apart, and aged, by their epoch.
  void observe(std::uint64_t epoch, std::span<const paced_stage> stages);
  /// By device that was observed, 1 or how many times as long it takes. Newer plans count.
  std::map<executor_id, double> slowness() const;

 private:
  struct plan {
    std::uint64_t parts = 0;
    std::map<executor_id, double> mean; ///< took by planned
  };
  std::map<std::uint64_t, plan> plans_; ///< by epoch
};

} // namespace shoal
