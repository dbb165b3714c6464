#include "apps/command/status_view.hpp"

#include "apps/command/text_table.hpp"
#include "runtime/plan/units.hpp"

#include <fmt/format.h>

namespace shoal {
namespace {

std::string short_id(const incarnation& id) {
  return to_string(id).substr(0, 8);
}

std::string percent(std::optional<double> share) {
  return share ? fmt::format("{:.0f} %", *share * 100) : "-";
}

/// Parts per second of a shard, since the look before.
std::string shard_rate(const cluster_look& now, const cluster_look* before,
                       const node_summary& node, const shard_summary& shard) {
  const auto* then = before == nullptr ? nullptr : find_node(*before, node.id);
  if (then == nullptr) return "-";
  const auto span = report_span(*before, *then, now, node);
  if (!span) return "-";
  for (const auto& s : then->shards)
    if (s.model == shard.model && s.epoch == shard.epoch && s.stage == shard.stage &&
        s.parts_done <= shard.parts_done)
      return fmt::format("{:.1f}", static_cast<double>(shard.parts_done - s.parts_done) / *span);
  return "-";
}

std::string node_table(const cluster_look& now) {
  text_table table({"node", "id", "address", "state", "sent", "received", "heard"}, {0, 1, 2, 3});
  for (const auto& n : now.summary.nodes)
    table.add({n.name, short_id(n.id), n.address, n.state, human_bytes(n.bytes_sent),
               human_bytes(n.bytes_received),
               human_seconds(static_cast<double>(n.silent_ms) * 1e-3) + " ago"});
  return table.empty() ? "" : "\n" + table.render();
}

std::string device_table(const cluster_look& now, const cluster_look* before) {
  text_table table({"node", "device", "threads", "speed", "memory", "queued", "busy"}, {0, 1});
  for (const auto& n : now.summary.nodes)
    for (std::size_t d = 0; d < n.devices.size(); ++d) {
      const auto& device = n.devices[d];
      const auto share = before == nullptr ? std::nullopt : busy_share(*before, now, n, d);
      table.add({n.name, device.name, fmt::format("{}", device.threads),
                 human_flops(device.flops_per_second) + "/s", human_bytes(device.memory_bytes),
                 fmt::format("{}", device.queued), percent(share)});
    }
  return table.empty() ? "" : "\n" + table.render();
}

std::string model_table(const cluster_look& now) {
  text_table table({"model", "state", "epoch", "detail"}, {0, 1, 3});
  for (const auto& m : now.summary.models)
    table.add({m.name, m.state, fmt::format("{}", m.epoch), m.detail});
  return table.empty() ? "" : "\n" + table.render();
}

std::string shard_table(const cluster_look& now, const cluster_look* before) {
  text_table table({"model", "epoch", "stage", "node", "device", "parts", "parts/s", "mean time"},
                   {0, 3, 4});
  for (const auto& n : now.summary.nodes)
    for (const auto& s : n.shards) {
      const auto mean = s.parts_done == 0 ? 0.0
                                          : static_cast<double>(s.compute_us) * 1e-6 /
                                                static_cast<double>(s.parts_done);
      table.add({s.model, fmt::format("{}", s.epoch), fmt::format("{}", s.stage + 1), n.name,
                 s.device < n.devices.size() ? n.devices[s.device].name : "?",
                 fmt::format("{}", s.parts_done), shard_rate(now, before, n, s),
                 human_seconds(mean)});
    }
  return table.empty() ? "" : "\n" + table.render();
}

} // namespace

std::string status_tables(const cluster_look& now, const cluster_look* before) {
  const auto& s = now.summary;
  auto text = fmt::format("nodes: {}; parts: {} waiting, {} in flight, {} finished, {} failed",
                          s.nodes.size(), s.waiting, s.in_flight, s.finished, s.failed);
  if (before != nullptr) text += fmt::format(", {:.1f} per second", parts_per_second(*before, now));
  return text + "\n" + node_table(now) + device_table(now, before) + model_table(now) +
         shard_table(now, before);
}

} // namespace shoal
