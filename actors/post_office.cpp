#include "actors/post_office.hpp"

#include "actors/part_codec.hpp"
#include "runtime/base/fail.hpp"

#include <caf/send.hpp>

namespace shoal {

void post_office::attach(std::shared_ptr<data_link> link, peer self) {
  std::lock_guard lock(link_mutex_);
  link_ = std::move(link);
  self_ = std::move(self);
}

void post_office::close() {
  std::shared_ptr<data_link> last_use; // dropped outside the lock
  {
    std::lock_guard lock(link_mutex_);
    last_use.swap(link_);
  }
  std::unordered_map<std::uint64_t, part_receiver_actor> owners;
  std::unique_lock lock(mailboxes_mutex_);
  owners.swap(mailboxes_);
}

std::shared_ptr<data_link> post_office::link() const {
  std::lock_guard lock(link_mutex_);
  return link_;
}

void post_office::send_message(const peer_address& to, message content, send_completion done) {
  if (const auto wire = link()) return wire->send(to, std::move(content), std::move(done));
  if (done) done(error(errc::unavailable, "this process has no tensor link"));
}

link_counters post_office::traffic() const {
  const auto wire = link();
  return wire ? wire->stats().total : link_counters();
}

mailbox post_office::open_mailbox(part_receiver_actor owner) {
  const auto slot = next_slot_.fetch_add(1);
  std::unique_lock lock(mailboxes_mutex_);
  mailboxes_.emplace(slot, std::move(owner));
  return {self_, slot};
}

void post_office::close_mailbox(std::uint64_t slot) {
  std::unique_lock lock(mailboxes_mutex_);
  mailboxes_.erase(slot);
}

void post_office::send(part_ptr p) {
  if (p->here().process.id == self_.id)
    deliver_local(std::move(p));
  else
    send_remote(std::move(p));
}

void post_office::deliver(message&& content) {
  auto p = decode_part(std::move(content), now_());
  // Rubbish from a peer: there is nobody whom it could be reported to.
  if (p) deliver_local(*std::move(p));
}

void post_office::deliver_local(part_ptr p) {
  p->arrived = now_();
  part_receiver_actor owner;
  {
    std::shared_lock lock(mailboxes_mutex_);
    if (const auto found = mailboxes_.find(p->here().slot); found != mailboxes_.end())
      owner = found->second;
  }
  if (owner) {
    caf::anon_send(owner, part_atom_v, std::move(p));
    return;
  }
  auto why = fail(errc::stale, "stage {} is no longer loaded on node {}", p->position + 1,
                  to_string(self_.id));
  bounce(std::move(p), std::move(why));
}

void post_office::send_remote(part_ptr p) {
  const auto to = p->here().process.address();
  auto content = encode_part(*p, now_());
  send_message(to, std::move(content), [this, p = std::move(p)](result<void> sent) mutable {
    if (sent) return;
    const auto where = p->position;
    bounce(std::move(p),
           std::move(sent).error().within(fmt::format("on the way to stage {}", where + 1)));
  });
}

void post_office::bounce(part_ptr p, error why) {
  const auto last = static_cast<std::uint32_t>(p->way->hops.size() - 1);
  if (p->position == last) return; // the collector itself is gone
  p->values.clear();
  p->failure = std::move(why);
  p->position = last;
  send(std::move(p));
}

} // namespace shoal
