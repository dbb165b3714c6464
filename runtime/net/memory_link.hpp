#pragma once

#include "runtime/net/data_link.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace shoal {

/// How the simulated network misbehaves. Probabilities are per message.
struct network_faults {
  double drop = 0;      ///< the message is lost although its sending succeeded
  double duplicate = 0; ///< it arrives twice
  double reorder = 0;   ///< it does not keep its place among those from the same sender
  std::chrono::nanoseconds min_delay{0};
  std::chrono::nanoseconds max_delay{0}; ///< drawn evenly from [min_delay, max_delay]
};

/// The in-process twin of the tensor link: joins any number of `data_link`s without threads,
/// sockets or a clock. Nothing happens until the owner delivers the next event; what happens, and
/// when in virtual time, follows from the seed and the calls alone. One thread; the links may
/// outlive it (sends then fail), and handlers may send, join, kill and cut.
class memory_network {
 public:
  using time = std::chrono::nanoseconds; ///< since the start
  enum class event_kind : std::uint8_t { delivered, dropped, completed, peer_down };

  /// What `trace` is told, in order.
  struct event {
    time at;
    event_kind kind;
    incarnation from;
    incarnation to;
    std::uint16_t message_kind = 0;
  };

  explicit memory_network(std::uint64_t seed, network_faults faults = {});
  ~memory_network();

  /// A link named `id`, which is new to the network. Its address is "memory":0. Closing it is like
  /// the end of its process.
  std::unique_ptr<data_link> join(const incarnation& id, link_handlers handlers,
                                  std::size_t max_queued_messages = 16384);

  /// Lets the next event happen; time goes forward to it. False when there is none.
  bool deliver_next();
  /// All events up to `until`, then time is `until`. Returns their number.
  std::size_t deliver_until(time until);
  /// When the next event is due.
  std::optional<time> next_event() const;
  time now() const;

  /// For what is sent from now on.
  void set_faults(const network_faults& faults);
  /// The process `id` is gone: what it sent and is sent to it vanishes, sends to it fail, and
  /// whoever had exchanged messages with it is told.
  void kill(const incarnation& id);
  /// No connection between the two until `heal`: what is under way is lost, both are told.
  void cut(const incarnation& a, const incarnation& b);
  void heal(const incarnation& a, const incarnation& b);

  void on_event(std::function<void(const event&)> trace);

 private:
  class state;
  class link;
  std::shared_ptr<state> state_;
};

} // namespace shoal
