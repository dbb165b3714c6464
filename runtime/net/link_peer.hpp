#pragma once

#include "runtime/net/connection.hpp"
#include "runtime/net/data_link.hpp"
#include "runtime/net/dial.hpp"
#include "runtime/net/handshake.hpp"

#include <atomic>
#include <memory>
#include <vector>

namespace shoal {

/// Counters that one thread writes and any may read.
class published_counters {
 public:
  void store(const link_counters& counters);
  link_counters load() const;

 private:
  std::atomic<std::uint64_t> values_[6] = {};
};

class link_peer;

/// The part of the link's engine that its peers call.
class link_peer_owner {
 public:
  virtual ~link_peer_owner() = default;
  virtual void on_message(link_peer& peer, message&& content) = 0;
  virtual void on_rejected(link_peer& peer, std::uint16_t kind, const error& reason) = 0;
  virtual void on_broken(link_peer& peer, const error& reason) = 0;
};

/// All that a TCP link knows of one other incarnation. What is under "any thread" is guarded by the
/// engine's mutex or atomic; the rest belongs to the link's thread.
class link_peer final : public connection_owner {
 public:
  link_peer(const incarnation& peer, link_peer_owner& owner, const link_codec& codec,
            std::size_t fragment_bytes);

  const incarnation id;

  // Any thread.
  peer_address address; ///< where to connect to, as the latest send said
  std::vector<std::unique_ptr<outgoing_message>> inbox;
  bool dirty = false; ///< in the engine's list of peers whose inbox is to be emptied
  std::atomic<std::uint64_t> queued_bytes{0};
  std::atomic<std::uint64_t> queued_messages{0};
  std::atomic<bool> connected{false};
  published_counters counters;

  // The link's thread.
  send_queue queue;
  std::shared_ptr<connection> link;

  /// The attempt to connect, if one is under way.
  struct attempt {
    std::shared_ptr<dial> dialling;
    std::shared_ptr<handshake> greeting; ///< set once our hello is on its way
    connection::clock::time_point deadline;
    connection::clock::time_point retry_at; ///< when neither is set
    int retries = 0;
  };
  std::unique_ptr<attempt> connecting;
  /// Ends the attempt without a word.
  void stop_connecting();

 private:
  void on_message(message&& content) override { owner_.on_message(*this, std::move(content)); }
  void on_rejected(std::uint16_t kind, const error& reason) override {
    owner_.on_rejected(*this, kind, reason);
  }
  void on_progress(const link_counters& now) override { counters.store(now); }
  void on_broken(const error& reason) override { owner_.on_broken(*this, reason); }

  link_peer_owner& owner_;
};

} // namespace shoal
