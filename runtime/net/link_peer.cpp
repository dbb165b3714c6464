#include "runtime/net/link_peer.hpp"

namespace shoal {

void published_counters::store(const link_counters& counters) {
  const std::uint64_t now[6] = {counters.bytes_sent,    counters.bytes_received,
                                counters.messages_sent, counters.messages_received,
                                counters.frames_sent,   counters.frames_received};
  for (int i = 0; i < 6; ++i) values_[i].store(now[i], std::memory_order_relaxed);
}

link_counters published_counters::load() const {
  std::uint64_t now[6];
  for (int i = 0; i < 6; ++i) now[i] = values_[i].load(std::memory_order_relaxed);
  return {now[0], now[1], now[2], now[3], now[4], now[5]};
}

link_peer::link_peer(const incarnation& peer, link_peer_owner& owner, const link_codec& codec,
                     std::size_t fragment_bytes)
    : id(peer), queue(codec, fragment_bytes), owner_(owner) {
  queue.on_left = [this](const outgoing_message& content) {
    queued_bytes -= content.queue_bytes();
    --queued_messages;
  };
}

void link_peer::stop_connecting() {
  if (!connecting) return;
  if (connecting->dialling) connecting->dialling->cancel();
  if (connecting->greeting) connecting->greeting->cancel();
  connecting.reset();
}

} // namespace shoal
