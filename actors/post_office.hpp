#pragma once

#include "actors/interfaces.hpp"
#include "actors/part.hpp"
#include "runtime/net/data_link.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace shoal {

/// Delivers parts to mailboxes: in this process by handing the part over, elsewhere over the tensor
/// link. Senders cannot tell the two apart. One per process; thread-safe.
///
/// A part that cannot be delivered becomes a failed part for its last hop, so that its request ends
/// with a typed error; if even that cannot be reached, the request ends by its deadline.
class post_office {
 public:
  using clock = std::function<instant()>;

  /// Without a link, only this process can be reached.
  post_office(peer self, clock now) : self_(std::move(self)), now_(std::move(now)) {}

  /// Attaches the link and with it the address of this process. Before anything is sent.
  void attach(std::shared_ptr<data_link> link, peer self);
  /// Lets go of the link and of every mailbox: what is sent from now on comes to nothing.
  void close();

  const peer& self() const { return self_; }

  /// Gives an actor a mailbox; the office holds it until `close_mailbox`.
  mailbox open_mailbox(part_receiver_actor owner);
  void close_mailbox(std::uint64_t slot);

  /// Sends `p` to the hop it is on its way to (`p->here()`).
  void send(part_ptr p);
  /// A part that arrived by the link.
  void deliver(message&& content);

  /// Sends anything else over the link; `done` as `data_link::send` has it.
  void send_message(const peer_address& to, message content, send_completion done);
  /// What the link has carried.
  link_counters traffic() const;

 private:
  void deliver_local(part_ptr p);
  void send_remote(part_ptr p);
  void bounce(part_ptr p, error why);

  peer self_;
  clock now_;
  std::shared_ptr<data_link> link() const;

  mutable std::mutex link_mutex_;
  std::shared_ptr<data_link> link_;
  std::shared_mutex mailboxes_mutex_;
  std::unordered_map<std::uint64_t, part_receiver_actor> mailboxes_;
  std::atomic<std::uint64_t> next_slot_{1};
};

} // namespace shoal
