#include "apps/command/status_view.hpp"

#include <nlohmann/json.hpp>

namespace shoal {
namespace {

using nlohmann::ordered_json;

ordered_json devices_of(const cluster_look& now, const cluster_look* before,
                        const node_summary& node) {
  auto devices = ordered_json::array();
  for (std::size_t i = 0; i < node.devices.size(); ++i) {
    const auto& d = node.devices[i];
    ordered_json device{{"name", d.name},
                        {"threads", d.threads},
                        {"flops_per_second", d.flops_per_second},
                        {"memory_bytes", d.memory_bytes},
                        {"queued", d.queued},
                        {"busy_us", d.busy_us}};
    const auto share = before == nullptr ? std::nullopt : busy_share(*before, now, node, i);
    device["busy_share"] = share ? ordered_json(*share) : ordered_json();
    devices.push_back(std::move(device));
  }
  return devices;
}

ordered_json shards_of(const node_summary& node) {
  auto shards = ordered_json::array();
  for (const auto& s : node.shards)
    shards.push_back({{"model", s.model},
                      {"epoch", s.epoch},
                      {"stage", s.stage},
                      {"device", s.device},
                      {"parts_done", s.parts_done},
                      {"compute_us", s.compute_us}});
  return shards;
}

} // namespace

std::string status_json(const cluster_look& now, const cluster_look* before) {
  const auto& s = now.summary;
  ordered_json out;
  out["waiting"] = s.waiting;
  out["in_flight"] = s.in_flight;
  out["finished"] = s.finished;
  out["failed"] = s.failed;
  out["parts_per_second"] =
      before == nullptr ? ordered_json() : ordered_json(parts_per_second(*before, now));
  out["nodes"] = ordered_json::array();
  for (const auto& n : s.nodes)
    out["nodes"].push_back({{"name", n.name},
                            {"id", to_string(n.id)},
                            {"address", n.address},
                            {"state", n.state},
                            {"bytes_sent", n.bytes_sent},
                            {"bytes_received", n.bytes_received},
                            {"silent_ms", n.silent_ms},
                            {"devices", devices_of(now, before, n)},
                            {"shards", shards_of(n)}});
  out["models"] = ordered_json::array();
  for (const auto& m : s.models)
    out["models"].push_back(
        {{"name", m.name}, {"state", m.state}, {"detail", m.detail}, {"epoch", m.epoch}});
  // Names come from elsewhere: what is not UTF-8 in them is replaced.
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace shoal
