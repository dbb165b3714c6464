#pragma once

#include "runtime/base/result.hpp"
#include "runtime/plan/cost_model.hpp"
#include "runtime/plan/device_profile.hpp"
#include "runtime/plan/plan.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace shoal {

struct partition_options {
  std::optional<std::size_t> stages{}; ///< exactly so many, each non-empty; absent: what is best
  std::optional<std::size_t> source_node{}; ///< where inputs come from; absent: they come for free
  std::optional<std::size_t> sink_node{};   ///< where outputs go
  std::size_t queue_slots = 2;              ///< inputs and outputs a stage holds besides its run
  double latency_slack = 0.01;              ///< ε: bottleneck given up for a shorter way through
  std::size_t max_cells = std::size_t{1} << 23; ///< size of the search up to which it is exact
};

/// Cuts a chain of layers into contiguous stages and places each on a device of its own, in any
/// order, so that the slowest stage or link is as fast as it can be; then, within (1 + ε) of that
/// bottleneck, so that one request passes through as fast as it can. A stage on u takes
///   parameters + peak activations + queue_slots · (bytes in + bytes out) ≤ memory of u.
/// Ties go to fewer stages, then to devices of lower index.
///
/// Method: the bottleneck is one of finitely many segment and link times; bisect over them, and
/// decide each by sets of reachable cuts per set of devices used. Devices that cannot be told apart
/// count as one type, so 64 equal devices are 65 sets and not 2^64. Exact while (sets of devices) ×
/// (types) × (cuts) ≤ max_cells: 10 unlike devices with 800 layers, 12 with 170. Beyond, the
/// most alike types are merged and taken at their worst: the plan holds, but may not be the best,
/// and is marked so; where memory is scarce it may find none although there is one.
///
/// Errors: invalid_argument for options or profiles that contradict each other or the model, such
/// as more stages than cuts allow; resource_exhausted when memory allows no placement, naming the
/// layers, the bytes they need and the largest device.
result<execution_plan> partition(const cost_model& model, std::span<const device_profile> devices,
                                 const link_table& links, const partition_options& options = {});

} // namespace shoal
