#pragma once

#include "runtime/net/byte_stream.hpp"
#include "runtime/net/hello.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace shoal {

/// The first bytes on a connection, before anything is believed: sends one hello, or waits for one,
/// or both. Its owner ends it with `cancel` when it takes too long.
class handshake final : public stream_user, public std::enable_shared_from_this<handshake> {
 public:
  /// Called once, unless cancelled. The stream may be taken out from then on.
  using outcome = std::function<void(handshake&, result<hello>)>;

  handshake(std::unique_ptr<byte_stream> stream, outcome done);

  /// The acceptor's part: waits for the peer's hello.
  void expect();
  /// The initiator's part: sends `greeting`, then waits for the reply.
  void greet(const hello& greeting);
  /// Sends `reply`, then closes; `done` is not called.
  void refuse(const hello& reply);
  void cancel();

  std::unique_ptr<byte_stream> take_stream() { return std::move(stream_); }
  const std::string& remote() const { return remote_; }
  /// The peer has not said yet who it is.
  bool waiting() const { return done_ != nullptr; }
  /// The refusal has been sent.
  bool finished() const { return finished_; }

  /// For the owner: when to give up.
  std::chrono::steady_clock::time_point deadline;

 private:
  void on_read(const std::error_code& failure, std::size_t count) override;
  void on_written(const std::error_code& failure, std::size_t count) override;
  void read();
  void write();
  void finish(result<hello> received);

  std::unique_ptr<byte_stream> stream_;
  outcome done_;
  std::string remote_;
  std::vector<std::byte> in_;
  std::size_t in_size_ = 0;
  std::vector<std::byte> out_;
  std::size_t out_size_ = 0;
  mutable_byte_span reading_;
  byte_span writing_;
  bool finished_ = false;
};

} // namespace shoal
