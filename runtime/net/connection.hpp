#pragma once

#include "runtime/net/byte_stream.hpp"
#include "runtime/net/frame_receiver.hpp"
#include "runtime/net/send_queue.hpp"

#include <chrono>
#include <memory>

namespace shoal {

/// What a connection tells the link that owns it.
class connection_owner {
 public:
  virtual ~connection_owner() = default;
  virtual void on_message(message&& content) = 0;
  virtual void on_rejected(std::uint16_t kind, const error& reason) = 0;
  /// Something has been read or written.
  virtual void on_progress(const link_counters& counters) = 0;
  /// Called once, when the connection has broken by itself; the stream is closed.
  virtual void on_broken(const error& reason) = 0;
};

/// A greeted connection: moves frames between a stream and a queue on one side, the owner on the
/// other, and watches that the peer is alive. Belongs to the link's thread.
class connection final : public stream_user,
                         private frame_events,
                         public std::enable_shared_from_this<connection> {
 public:
  using clock = std::chrono::steady_clock;

  /// The queue and the owner outlive the connection, or it has been closed.
  connection(std::unique_ptr<byte_stream> stream, const receive_limits& limits,
             frame_receiver::allocator allocate, send_queue& queue, connection_owner& owner,
             clock::time_point now);

  /// Sends `preamble` (the acceptor's hello) and goes to work.
  void start(std::vector<std::byte> preamble);
  /// Sends what the queue holds, if no write is under way.
  void pump();
  /// Drops the connection; messages that wait fail with `reason`. The owner is not told.
  void close(const error& reason);
  /// Pings after `ping` of our silence, breaks after `dead` of theirs.
  void tick(clock::time_point now, clock::duration ping, clock::duration dead);

  bool closed() const { return closed_; }
  /// The peer has closed it while nothing was under way: the ordinary end.
  bool left() const { return left_; }
  const std::string& remote() const { return remote_; }
  /// Messages and frames are counted here and in the queue; bytes are those of the stream.
  link_counters counters() const;

 private:
  void on_read(const std::error_code& failure, std::size_t count) override;
  void on_written(const std::error_code& failure, std::size_t count) override;

  void on_message(message&& content) override;
  void on_grant(std::uint64_t body_bytes) override { queue_.grant(body_bytes); }
  void on_refused(std::uint32_t stream, std::uint16_t kind, const error& reason) override;
  void on_credit(std::uint64_t body_bytes) override { queue_.add_credit(body_bytes); }
  void on_rejected(std::uint32_t stream, std::uint16_t kind, const error& reason) override;
  void on_ping() override { queue_.pong(); }

  void read();
  void write();
  void broken(const error& reason);

  std::unique_ptr<byte_stream> stream_;
  std::string remote_;
  frame_receiver receiver_;
  send_queue& queue_;
  connection_owner& owner_;
  write_batch batch_;
  std::vector<std::byte> preamble_;
  byte_span preamble_left_;
  bool writing_ = false;
  bool reading_frames_ = false; // sends wait until all that has arrived has been handled
  bool closed_ = false;
  bool left_ = false;
  bool flooded_ = false;

  clock::time_point last_heard_;
  clock::time_point last_sent_;
  clock::time_point last_tick_;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t messages_received_ = 0;
  std::uint64_t heard_bytes_ = 0; // bytes_received_ at the last tick
  std::uint64_t told_bytes_ = 0;
};

} // namespace shoal
