#include "runtime/net/data_link.hpp"

#include <fmt/format.h>

namespace shoal {

std::string to_string(const peer_address& address) {
  return fmt::format("{}:{} ({})", address.host, address.port, to_string(address.id));
}

link_counters& link_counters::operator+=(const link_counters& other) {
  bytes_sent += other.bytes_sent;
  bytes_received += other.bytes_received;
  messages_sent += other.messages_sent;
  messages_received += other.messages_received;
  frames_sent += other.frames_sent;
  frames_received += other.frames_received;
  return *this;
}

} // namespace shoal
