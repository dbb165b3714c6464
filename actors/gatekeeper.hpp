#pragma once

#include "runtime/base/error.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman_actor.hpp>

#include <cstddef>
#include <functional>
#include <string_view>

namespace shoal {

/// Control messages stay far below; the status of a cluster of a thousand nodes is the largest.
constexpr std::size_t max_control_message = std::size_t{1} << 20;
constexpr std::size_t max_control_handshake = std::size_t{64} << 10;
/// Connections that have not introduced themselves; one more costs the eldest of them its place.
constexpr std::size_t max_strangers = 128;

/// A connection was dropped, and why. Called from CAF's network thread.
using connection_problem = std::function<void(std::string_view remote, const error& reason)>;

/// Opens the ports and connections of CAF's middleman as CAF itself does, but hangs up on peers
/// whose bytes would harm it: CAF 0.17 allocates what a header claims (4 GiB), does not survive a
/// handshake without content, delivers messages of strangers, and lets the silent stay for ever.
/// Needed only while something is published or connected: what it opened stays guarded.
class gatekeeper {
 public:
  gatekeeper(caf::actor_system& system, connection_problem on_problem);
  ~gatekeeper();
  gatekeeper(const gatekeeper&) = delete;
  gatekeeper& operator=(const gatekeeper&) = delete;

  /// Takes the place of `caf::io::middleman::actor_handle()`.
  const caf::io::middleman_actor& middleman() const { return middleman_; }

 private:
  caf::io::middleman_actor middleman_;
};

} // namespace shoal
