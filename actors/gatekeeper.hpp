#pragma once

#include "runtime/base/error.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/middleman_actor.hpp>

#include <cstddef>
#include <functional>
#include <string_view>

namespace shoal {

/// What nodes and clients may send to a head in one message. CAF reads messages within messages
/// recursively: of 64 KiB, they fit on its stack several times over.
constexpr std::size_t max_message_to_head = std::size_t{64} << 10;
/// What a head may send to them: the status of a cluster of a thousand nodes is the largest.
constexpr std::size_t max_message_from_head = std::size_t{1} << 20;
/// Connections that have not introduced themselves; one more costs the eldest of them its place.
constexpr std::size_t max_strangers = 128;

/// A connection was dropped, and why. Called from CAF's network thread.
using connection_problem = std::function<void(std::string_view remote, const error& reason)>;

/// Opens the ports and connections of CAF's middleman as CAF itself does, but hangs up on peers
/// whose bytes would harm it: CAF 0.17 allocates what a header claims (4 GiB), survives neither a
/// handshake without content nor odd messages for its streams, delivers messages of strangers, and
/// lets the silent stay for ever.
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
