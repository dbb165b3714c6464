#pragma once

#include "runtime/net/body_codec.hpp"
#include "runtime/net/data_link.hpp"
#include "runtime/net/hello.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace shoal {

struct tcp_link_options {
  incarnation id = incarnation::random(); ///< a copy of the options names the same process
  std::string listen_host = "127.0.0.1";  ///< a numeric address; "0.0.0.0" for all interfaces
  std::uint16_t listen_port = 0;          ///< 0: any free one
  std::string advertised_host;            ///< what `address()` says; empty: `listen_host`
  std::string cluster_token;              ///< only peers with the same are spoken to; ≤ 255 bytes

  receive_limits limits;                                   ///< what this end takes
  std::size_t fragment_bytes = std::size_t{256} << 10;     ///< what it sends at most in one frame
  link_codec codec;                                        ///< how it sends
  std::uint64_t max_queued_bytes = std::uint64_t{1} << 30; ///< per peer; one message always fits
  std::size_t max_queued_messages = 16384;                 ///< per peer
  std::size_t max_peers = 1024;
  std::size_t max_handshakes = 64; ///< connections that have not said who they are

  std::chrono::milliseconds connect_timeout{3000}; ///< until the peer has replied, lookup included
  std::chrono::milliseconds handshake_timeout{3000}; ///< for those who connect to us
  std::chrono::milliseconds ping_interval{1000};
  std::chrono::milliseconds dead_after{5000}; ///< of silence, although pinged

  /// Where received tensors live; may return nothing to refuse a message. Called on the link's
  /// thread. Empty: the shared pool.
  std::function<storage_ptr(std::size_t)> allocate;
};

/// The tensor link over TCP: one object per process. Runs one thread of its own, which does all
/// input and output and calls the handlers. Tensors are written straight from their storage and
/// received straight into theirs. There is at most one connection between two incarnations,
/// whichever side opened it; it is opened by the first send and kept. The wire: frame.hpp.
class tcp_link final : public data_link {
 public:
  /// Listens; the error says why it cannot.
  static result<std::unique_ptr<tcp_link>> open(tcp_link_options options, link_handlers handlers);
  ~tcp_link() override; ///< closes

  peer_address address() const override;
  void send(const peer_address& peer, message content, send_completion done) override;
  link_stats stats() const override;
  void close() override;

 private:
  class engine;
  explicit tcp_link(std::unique_ptr<engine> implementation);
  std::unique_ptr<engine> engine_;
};

} // namespace shoal
