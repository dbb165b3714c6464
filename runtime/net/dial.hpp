#pragma once

#include "runtime/base/result.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>

#include <functional>
#include <memory>
#include <string>

namespace shoal {

/// One attempt to connect to host:port that never blocks its thread, not even while the name is
/// looked up (that happens on a thread of its own, which is left behind when the attempt is
/// cancelled). All calls from the thread of the io_context.
class dial : public std::enable_shared_from_this<dial> {
 public:
  /// Errors name host, port and reason.
  using outcome = std::function<void(result<asio::ip::tcp::socket>)>;

  dial(asio::io_context& io, std::string host, std::uint16_t port, outcome done);

  /// Calls `done` once, never from within.
  void start();
  /// `done` is not called any more. To be called before the io_context goes.
  void cancel();
  /// Tried meanwhile, as in "looking up the name" or "connecting".
  std::string progress() const;

 private:
  struct lookup;

  void connect();
  void finish(result<asio::ip::tcp::socket> connected);

  asio::ip::tcp::socket socket_;
  asio::io_context& io_;
  std::string host_;
  std::uint16_t port_;
  outcome done_;
  std::vector<asio::ip::tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  std::shared_ptr<lookup> lookup_;
};

} // namespace shoal
