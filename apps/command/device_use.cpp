#include "apps/command/device_use.hpp"

#include <algorithm>

namespace shoal {

result<cluster_look> look_at(runtime& cluster, std::chrono::milliseconds timeout) {
  SHOAL_TRY(auto summary, cluster.status(timeout));
  return cluster_look{std::move(summary), std::chrono::steady_clock::now()};
}

const node_summary* find_node(const cluster_look& look, const incarnation& id) {
  const auto found = std::ranges::find(look.summary.nodes, id, &node_summary::id);
  return found == look.summary.nodes.end() ? nullptr : &*found;
}

std::optional<double> report_span(const cluster_look& before, const node_summary& node_before,
                                  const cluster_look& after, const node_summary& node_after) {
  const auto told = [](const cluster_look& look, const node_summary& node) {
    return look.at - std::chrono::milliseconds(node.silent_ms);
  };
  const std::chrono::duration<double> span = told(after, node_after) - told(before, node_before);
  // Heartbeats are further apart: what is less is the same report, looked at twice.
  constexpr double least_span = 0.05;
  if (span.count() < least_span) return std::nullopt;
  return span.count();
}

std::optional<double> busy_seconds(const cluster_look& before, const node_summary& node,
                                   std::size_t index) {
  const auto* then = find_node(before, node.id);
  if (then == nullptr || index >= then->devices.size() || index >= node.devices.size())
    return std::nullopt;
  const auto was = then->devices[index].busy_us, is = node.devices[index].busy_us;
  if (is < was) return std::nullopt;
  return static_cast<double>(is - was) * 1e-6;
}

std::optional<double> busy_share(const cluster_look& before, const cluster_look& after,
                                 const node_summary& node, std::size_t index) {
  const auto busy = busy_seconds(before, node, index);
  if (!busy) return std::nullopt;
  const auto span = report_span(before, *find_node(before, node.id), after, node);
  if (!span) return std::nullopt;
  return std::min(1.0, *busy / *span);
}

double parts_per_second(const cluster_look& before, const cluster_look& after) {
  const std::chrono::duration<double> span = after.at - before.at;
  const auto was = before.summary.finished, is = after.summary.finished;
  return is < was || span.count() <= 0 ? 0 : static_cast<double>(is - was) / span.count();
}

} // namespace shoal
