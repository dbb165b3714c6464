#pragma once

#include "actors/shoal.hpp"

#include <chrono>
#include <optional>

namespace shoal {

/// The whole cluster as it was at one time.
struct cluster_look {
  cluster_summary summary;
  std::chrono::steady_clock::time_point at;
};

result<cluster_look> look_at(runtime& cluster,
                             std::chrono::milliseconds timeout = std::chrono::seconds(5));

/// The node in an earlier look; null where it was not there.
const node_summary* find_node(const cluster_look& look, const incarnation& id);

/// Seconds between the reports of a node that two looks hold: nodes tell of themselves with each
/// heartbeat, not when they are looked at. Empty when both hold the same report.
std::optional<double> report_span(const cluster_look& before, const node_summary& node_before,
                                  const cluster_look& after, const node_summary& node_after);

/// Seconds that device `index` of `node`, as seen later, has computed since the look `before`;
/// empty when that cannot be told.
std::optional<double> busy_seconds(const cluster_look& before, const node_summary& node,
                                   std::size_t index);

/// The share of the time between two looks that device `index` of a node of `after` computed, 0 to
/// 1; empty when that cannot be told.
std::optional<double> busy_share(const cluster_look& before, const cluster_look& after,
                                 const node_summary& node, std::size_t index);

/// Parts that the cluster finished, per second between two looks.
double parts_per_second(const cluster_look& before, const cluster_look& after);

} // namespace shoal
