#pragma once

#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"
#include "runtime/net/message.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// Where a process listens, and which life of it is meant.
struct peer_address {
  incarnation id;
  std::string host;
  std::uint16_t port = 0;
};

/// As in "10.0.0.7:4100 (0123…ef)".
std::string to_string(const peer_address& address);

/// What went over a link. Bytes are those on the wire, headers included.
struct link_counters {
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t frames_sent = 0;
  std::uint64_t frames_received = 0;

  link_counters& operator+=(const link_counters& other);
};

struct link_stats {
  struct peer {
    incarnation id;
    bool connected = false;
    link_counters counters;
    std::uint64_t queued_messages = 0;
    std::uint64_t queued_bytes = 0;
  };

  link_counters total;     ///< peers that have gone included
  std::vector<peer> peers; ///< ordered by id
};

/// Called once for every send: success means "handed to the operating system", not "received".
using send_completion = std::function<void(result<void>)>;

/// What a link tells its owner. All are called on the link's own thread: be quick, and never block
/// or destroy the link there; `send` is welcome. Any may be empty.
struct link_handlers {
  /// A message has arrived completely. The sender may send more only as this returns.
  std::function<void(const incarnation& from, message&& content)> on_message;
  /// A peer that was connected is lost; called once per loss. Sends that waited have failed.
  std::function<void(const incarnation& peer, const error& reason)> on_peer_down;
  /// The peer could not take a message (of this kind) whose sending had completed already.
  std::function<void(const incarnation& peer, std::uint16_t kind, const error& reason)> on_rejected;
  /// For the log: why a connection was refused or dropped, and whose.
  std::function<void(std::string_view remote, const error& reason)> on_problem;
};

/// The data plane between processes: carries messages to any incarnation, over whatever connects
/// the two. Messages of one priority may overtake each other; those that arrive are what was sent.
class data_link {
 public:
  virtual ~data_link() = default;

  /// Who this end is and where it listens.
  virtual peer_address address() const = 0;
  /// Queues a message and returns; connects first if need be. Any thread. `done`, if not empty, is
  /// called exactly once: on the link's thread, or within this call when refused at once
  /// (invalid_argument, or resource_exhausted when the queue to that peer is full). Later failures:
  /// unavailable (not reached, or lost), stale (another incarnation lives there),
  /// version_mismatch, resource_exhausted (the peer could not take it), cancelled (link closed).
  virtual void send(const peer_address& peer, message content, send_completion done) = 0;
  virtual link_stats stats() const = 0;
  /// Drops all connections; sends that wait fail with `cancelled`. No handler is called after it
  /// returns. Any thread but the link's own.
  virtual void close() = 0;
};

} // namespace shoal
