#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/net/data_link.hpp"
#include "runtime/net/hello.hpp"

#include <cstdint>
#include <vector>

namespace shoal::test {

/// A peer made of plain sockets, that can do what no link would. Waits are bounded.
class raw_peer {
 public:
  /// Connects to 127.0.0.1:port.
  explicit raw_peer(std::uint16_t port);
  ~raw_peer();
  raw_peer(const raw_peer&) = delete;
  raw_peer& operator=(const raw_peer&) = delete;
  raw_peer(raw_peer&& other) noexcept;

  void send(byte_span bytes);
  /// Exactly so many bytes; fewer if the other side closes or nothing comes.
  std::vector<std::byte> receive(std::size_t count);
  /// The hello of the other side.
  result<hello> receive_hello();
  /// Whether the other side closes, whatever it sends until then.
  bool sees_end();
  void close();

 private:
  friend class raw_listener;
  raw_peer() = default;
  int socket_ = -1;
};

/// Listens on 127.0.0.1, on any port.
class raw_listener {
 public:
  raw_listener();
  ~raw_listener();
  raw_listener(const raw_listener&) = delete;
  raw_listener& operator=(const raw_listener&) = delete;

  std::uint16_t port() const { return port_; }
  raw_peer accept();

 private:
  int socket_ = -1;
  std::uint16_t port_ = 0;
};

/// The hello of a well-behaved peer `id` without a token.
hello polite_hello(const incarnation& id);

} // namespace shoal::test
