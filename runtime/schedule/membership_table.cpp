#include "runtime/schedule/membership_table.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {

namespace {

constexpr time_span gone_memory = std::chrono::minutes(10);
constexpr std::size_t max_histories = 16; // names remembered per place in the cluster

} // namespace

std::string_view to_string(node_state state) {
  switch (state) {
  case node_state::alive:
    return "alive";
  case node_state::suspect:
    return "suspect";
  case node_state::draining:
    return "draining";
  case node_state::lost:
    return "lost";
  }
  return "unknown";
}

std::string_view to_string(membership_change change) {
  switch (change) {
  case membership_change::joined:
    return "joined";
  case membership_change::suspected:
    return "suspected";
  case membership_change::recovered:
    return "recovered";
  case membership_change::draining:
    return "draining";
  case membership_change::left:
    return "left";
  case membership_change::lost:
    return "lost";
  }
  return "unknown";
}

result<void> membership_table::check(const node_info& node) const {
  const auto too_long = [&](const std::string& text) { return text.size() > options_.max_text; };
  if (node.name.empty() || too_long(node.name) || too_long(node.version) || too_long(node.endpoint))
    return fail(
        errc::invalid_argument,
        "expected a name of 1 to {0} bytes, a version and an endpoint of up to {0}, got {1}, "
        "{2} and {3}",
        options_.max_text, node.name.size(), node.version.size(), node.endpoint.size());
  if (node.version != options_.version)
    return fail(errc::version_mismatch, "node {} runs version {}, this head runs version {}",
                node.name, node.version, options_.version);
  if (node.devices.empty() || node.devices.size() > options_.max_devices)
    return fail(errc::invalid_argument, "node {}: expected 1 to {} devices, got {}", node.name,
                options_.max_devices, node.devices.size());
  for (const auto& device : node.devices) {
    if (too_long(device.name) || too_long(device.kind))
      return fail(errc::invalid_argument, "node {}: the name of a device exceeds {} bytes",
                  node.name, options_.max_text);
    if (!(device.speed > 0 && std::isfinite(device.speed)))
      return fail(errc::invalid_argument, "node {}: device {} has the speed {}, expected above 0",
                  node.name, device.name, device.speed);
  }
  return {};
}

result<void> membership_table::check_restarts(const node_info& node, instant now) {
  if (!histories_.contains(node.name) && histories_.size() >= max_histories * options_.max_nodes)
    return fail(errc::resource_exhausted, "node {}: too many names registered lately", node.name);
  auto& history = histories_[node.name];
  auto& restarts = history.restarts;
  std::erase_if(restarts,
                [&](const restart& one) { return now - one.at >= options_.restart_window; });
  const bool counted = std::any_of(restarts.begin(), restarts.end(),
                                   [&](const restart& one) { return one.id == node.id; });
  // Beyond the quarantine's number nothing more is learnt: the memory stays bounded.
  if (!counted && restarts.size() < options_.quarantine_restarts) {
    restarts.push_back({now, node.id});
    if (restarts.size() >= options_.back_off_restarts)
      history.refused_until = now + options_.restart_window;
  }
  if (restarts.size() >= options_.quarantine_restarts) history.quarantined = true;
  if (history.quarantined)
    return fail(errc::resource_exhausted,
                "node {} is in quarantine: it restarted {} times within {} s, an operator has to "
                "release it",
                node.name, options_.quarantine_restarts, to_seconds(options_.restart_window));
  if (now >= history.refused_until) return {};
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(history.refused_until - now);
  return fail(errc::resource_exhausted,
              "node {} restarted {} times within {} s: it may register again in {} ms", node.name,
              options_.back_off_restarts, to_seconds(options_.restart_window), wait.count());
}

result<std::vector<membership_event>> membership_table::register_node(const node_info& node,
                                                                      instant now) {
  SHOAL_CHECK(check(node));
  std::vector<membership_event> events;
  if (const auto known = nodes_.find(node.id); known != nodes_.end()) {
    if (known->second.info.name != node.name)
      return fail(errc::invalid_argument, "incarnation {} is registered as {}, not {}",
                  to_string(node.id), known->second.info.name, node.name);
    known->second.info = node;
    return heartbeat(node.id, now);
  }
  if (gone_.contains(node.id))
    return fail(errc::stale,
                "incarnation {} of node {} was lost or left: a new one has to register",
                to_string(node.id), node.name);
  const auto namesake = names_.find(node.name);
  if (namesake == names_.end() && nodes_.size() >= options_.max_nodes)
    return fail(errc::resource_exhausted, "node {}: the cluster has its {} nodes", node.name,
                options_.max_nodes);
  SHOAL_CHECK(check_restarts(node, now));
  if (namesake != names_.end())
    remove(incarnation(namesake->second), membership_change::lost, now, events);
  member joined{node, node_state::alive, false, now, phi_accrual(options_.phi)};
  joined.detector.heartbeat(now);
  nodes_.emplace(node.id, std::move(joined));
  names_[node.name] = node.id;
  events.push_back({membership_change::joined, node.id, node.name});
  return events;
}

result<std::vector<membership_event>> membership_table::heartbeat(const incarnation& id,
                                                                  instant now) {
  const auto found = nodes_.find(id);
  // A lease that ran out is over even if no tick has noticed yet.
  if (found == nodes_.end() || now - found->second.heard >= options_.lease)
    return fail(errc::stale, "incarnation {} holds no lease: register again", to_string(id));
  auto& node = found->second;
  node.heard = now;
  node.detector.heartbeat(now);
  std::vector<membership_event> events;
  if (node.state == node_state::suspect) {
    node.state = node.draining ? node_state::draining : node_state::alive;
    events.push_back({membership_change::recovered, id, node.info.name});
  }
  return events;
}

std::vector<membership_event> membership_table::tick(instant now) {
  std::vector<membership_event> events;
  std::vector<incarnation> expired;
  for (auto& [id, node] : nodes_) {
    const auto silence = now - node.heard;
    if (silence >= options_.lease) {
      expired.push_back(id);
    } else if (node.state != node_state::suspect &&
               (silence >= options_.suspect_after || node.detector.suspicious(now))) {
      node.state = node_state::suspect;
      events.push_back({membership_change::suspected, id, node.info.name});
    }
  }
  for (const auto& id : expired) remove(id, membership_change::lost, now, events);
  forget_old(now);
  return events;
}

result<std::vector<membership_event>> membership_table::drain(const incarnation& id) {
  const auto found = nodes_.find(id);
  if (found == nodes_.end())
    return fail(errc::stale, "incarnation {} holds no lease: register again", to_string(id));
  auto& node = found->second;
  std::vector<membership_event> events;
  if (node.draining) return events;
  node.draining = true;
  if (node.state == node_state::alive) node.state = node_state::draining;
  events.push_back({membership_change::draining, id, node.info.name});
  return events;
}

result<std::vector<membership_event>> membership_table::leave(const incarnation& id, instant now) {
  std::vector<membership_event> events;
  if (!nodes_.contains(id))
    return fail(errc::stale, "incarnation {} is not registered", to_string(id));
  remove(id, membership_change::left, now, events);
  return events;
}

std::vector<membership_event> membership_table::down(const incarnation& id, instant now) {
  std::vector<membership_event> events;
  if (nodes_.contains(id)) remove(id, membership_change::lost, now, events);
  return events;
}

bool membership_table::release(const std::string& name) {
  return histories_.erase(name) != 0;
}

void membership_table::remove(const incarnation& id, membership_change change, instant now,
                              std::vector<membership_event>& events) {
  const auto node = nodes_.find(id);
  const auto name = node->second.info.name;
  names_.erase(name);
  nodes_.erase(node);
  gone_.emplace(id, now);
  events.push_back({change, id, name});
}

void membership_table::forget_old(instant now) {
  std::erase_if(gone_, [&](const auto& item) { return now - item.second >= gone_memory; });
  std::erase_if(histories_, [&](const auto& item) {
    const auto& history = item.second;
    return !history.quarantined && (history.restarts.empty() ||
                                    now - history.restarts.back().at >= options_.restart_window);
  });
}

const node_info* membership_table::find(const incarnation& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? nullptr : &found->second.info;
}

node_state membership_table::state(const incarnation& id) const {
  const auto found = nodes_.find(id);
  return found == nodes_.end() ? node_state::lost : found->second.state;
}

std::vector<incarnation> membership_table::nodes() const {
  std::vector<incarnation> ids;
  for (const auto& [id, node] : nodes_) ids.push_back(id);
  return ids;
}

bool membership_table::quarantined(const std::string& name) const {
  const auto found = histories_.find(name);
  return found != histories_.end() && found->second.quarantined;
}

} // namespace shoal
