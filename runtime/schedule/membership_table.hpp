#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/schedule/instant.hpp"
#include "runtime/schedule/phi_accrual.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// A device as its node offers it.
struct device_info {
  std::string name;
  std::string kind; ///< "cpu" or "cuda"
  double speed = 0; ///< measured, relative to the reference device
  std::uint64_t memory_bytes = 0;
  std::uint32_t threads = 1;
};

struct node_info {
  incarnation id;
  std::string name; ///< of the machine or service; lives on when the process restarts
  std::string version;
  std::string endpoint;
  std::vector<device_info> devices;
};

enum class node_state : std::uint8_t {
  alive,
  suspect,  ///< silent: no new work
  draining, ///< leaves: no new work
  lost      ///< its lease ran out: its work is given to others
};

std::string_view to_string(node_state state);

enum class membership_change : std::uint8_t {
  joined,
  suspected,
  recovered, ///< suspected, but heard of again
  draining,
  left, ///< went by itself, after draining
  lost  ///< the lease ran out, or a new incarnation of the same name took its place
};

std::string_view to_string(membership_change change);

struct membership_event {
  membership_change change = membership_change::joined;
  incarnation id;
  std::string name;

  friend bool operator==(const membership_event&, const membership_event&) = default;
};

struct membership_options {
  std::string version; ///< ours: nodes of another are refused
  time_span suspect_after = std::chrono::seconds(1);
  time_span lease = std::chrono::seconds(3);
  phi_options phi;
  time_span restart_window = std::chrono::seconds(60);
  std::size_t back_off_restarts = 3;   ///< new incarnations of a name within the window
  std::size_t quarantine_restarts = 5; ///< likewise; only `release` ends it
  std::size_t max_nodes = 1024;
  std::size_t max_devices = 64; ///< per node
  std::size_t max_text = 256;   ///< bytes of a name, version, endpoint
};

/// Who is in the cluster: the head's side of leases and failure detection, as a pure state machine.
/// A node registers, then sends heartbeats; silence makes it suspect at the fixed bound or when the
/// phi detector says so, and lost when its lease is over. A lost incarnation stays lost: it has to
/// register again under a new one. Calls return what changed, in the order it happened.
class membership_table {
 public:
  explicit membership_table(membership_options options) : options_(std::move(options)) {}

  /// version_mismatch names both versions; resource_exhausted while a name restarts too often
  /// (tells when it may come back) or the table is full; stale for an incarnation that was lost or
  /// left; invalid_argument for texts and numbers out of bounds. Registering a live incarnation
  /// again renews its lease and its info.
  result<std::vector<membership_event>> register_node(const node_info& node, instant now);
  /// stale when the incarnation is not registered (any more): register again.
  result<std::vector<membership_event>> heartbeat(const incarnation& id, instant now);
  std::vector<membership_event> tick(instant now);

  /// The node announces that it leaves: no new work for it, what it has may finish.
  result<std::vector<membership_event>> drain(const incarnation& id);
  /// The node is gone by its own will.
  result<std::vector<membership_event>> leave(const incarnation& id, instant now);
  /// The transport saw it end (DOWN): as if its lease had run out.
  std::vector<membership_event> down(const incarnation& id, instant now);
  /// Lifts a quarantine or back-off. False when there was none.
  bool release(const std::string& name);

  const node_info* find(const incarnation& id) const;
  /// `lost` for what is not registered.
  node_state state(const incarnation& id) const;
  /// Registered nodes in the order of their incarnations.
  std::vector<incarnation> nodes() const;
  std::size_t size() const { return nodes_.size(); }
  bool quarantined(const std::string& name) const;

 private:
  struct member {
    node_info info;
    node_state state = node_state::alive;
    bool draining = false;
    instant heard;
    phi_accrual detector;
  };
  struct restart {
    instant at;
    incarnation id;
  };
  struct name_history {
    std::vector<restart> restarts; ///< within the window, oldest first
    instant refused_until = instant::min();
    bool quarantined = false;
  };

  result<void> check(const node_info& node) const;
  result<void> check_restarts(const node_info& node, instant now);
  void remove(const incarnation& id, membership_change change, instant now,
              std::vector<membership_event>& events);
  void forget_old(instant now);

  membership_options options_;
  std::map<incarnation, member> nodes_;
  std::map<std::string, incarnation> names_; ///< of registered nodes
  std::map<std::string, name_history> histories_;
  std::map<incarnation, instant> gone_; ///< may not register again
};

} // namespace shoal
