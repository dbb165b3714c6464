#pragma once

#include "runtime/schedule/instant.hpp"

namespace shoal {

struct lease_options {
  /// Shorter than the grantor's lease, so that the holder stops before its work is given away.
  time_span fence_after = std::chrono::seconds(2);
};

/// The holder's side of a lease. It is fenced once no renewal was confirmed for `fence_after`,
/// counted from when the confirmed renewal was *sent*: the grantor's lease starts no earlier. A
/// fenced holder does no work, throws away what it did, and registers again under a new
/// incarnation; no late confirmation lifts the fence.
class lease_holder {
 public:
  lease_holder(instant registration_sent, lease_options options = {})
      : options_(options), confirmed_(registration_sent) {}

  /// The renewal sent at `sent` was confirmed. False when it came too late: fenced.
  bool confirm(instant sent, instant now);
  /// Also fences for good when the time has come.
  bool fenced(instant now);
  /// The peer refused the renewal: fenced at once.
  void revoke() { fenced_ = true; }
  instant fences_at() const { return confirmed_ + options_.fence_after; }

 private:
  lease_options options_;
  instant confirmed_;
  bool fenced_ = false;
};

} // namespace shoal
