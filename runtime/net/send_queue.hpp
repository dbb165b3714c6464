#pragma once

#include "runtime/net/hello.hpp"
#include "runtime/net/outgoing_message.hpp"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace shoal {

/// Frames on their way to the kernel: spans to gather, and what keeps them valid.
class write_batch {
 public:
  write_batch();

  /// What is still to be written; never more spans than one system call takes.
  std::span<const byte_span> remaining() const;
  bool empty() const { return next_ == spans_.size(); }
  /// So many bytes have been written.
  void advance(std::size_t count);

 private:
  friend class send_queue;

  std::span<std::byte> reserve(std::size_t size);
  void append(byte_span bytes);
  void clear();
  bool has_room() const;

  std::vector<std::byte> arena_; // headers, descriptors and small bodies; never reallocated
  std::size_t arena_used_ = 0;
  std::vector<byte_span> spans_;
  std::size_t next_ = 0;
  std::size_t bytes_ = 0;
  std::vector<std::vector<std::byte>> compressed_;
  std::size_t compressed_used_ = 0;
  std::vector<std::unique_ptr<outgoing_message>> finished_; // complete with this batch
};

/// What one peer is still to be sent, and in which order: small control frames, then messages by
/// priority; large ones are cut into fragments, between which those of shorter ones of the same
/// priority may go, so that a small one never waits for a large one to end. Keeps to the credit and
/// the limits of the peer. Pure: no socket. One thread at a time.
class send_queue {
 public:
  send_queue(const link_codec& codec, std::size_t fragment_bytes);
  ~send_queue();

  void push(std::unique_ptr<outgoing_message> content);
  /// A new connection to a receiver with these limits; the counters start again.
  void start(const receive_limits& peer);

  void add_credit(std::uint64_t body_bytes) { credit_ += body_bytes; }
  /// Control frames to be sent with the next batch. `false`: too many wait.
  void grant(std::uint64_t body_bytes) { grant_ += body_bytes; }
  void ping() { ping_ = true; }
  void pong() { pong_ = true; }
  bool reject(std::uint32_t stream, const reject_frame& why);

  /// Collects what can be sent now. Empty: nothing, or the credit is spent.
  void fill(write_batch& batch);
  /// All of the batch has been written: completes its messages, counted in `messages_sent`.
  void written(write_batch& batch);
  /// The peer drops this message. True if it was still being sent; its completion gets `reason`.
  bool drop(std::uint32_t stream, const error& reason);
  /// Takes every message out, those in `batch` included; each completion gets `reason`.
  void fail_all(write_batch* batch, const error& reason);

  /// Takes every message out, in order of priority; the caller completes them.
  std::vector<std::unique_ptr<outgoing_message>> take_all();
  /// No message waits or is being sent.
  bool empty() const;
  std::uint64_t messages_sent() const { return messages_sent_; }
  std::uint64_t frames_sent() const { return frames_sent_; }
  /// Called with every message as it leaves, whatever the outcome.
  std::function<void(const outgoing_message&)> on_left;

 private:
  using message_list = std::deque<std::unique_ptr<outgoing_message>>;
  struct lane {
    message_list waiting;
    message_list active; // opened, the oldest first
    bool oldest_next = false;
    bool empty() const { return waiting.empty() && active.empty(); }
  };

  bool emit_control(write_batch& batch);
  bool emit_message_frame(write_batch& batch);
  bool emit_from(lane& from, write_batch& batch);
  bool emit_open(lane& from, write_batch& batch);
  bool emit_fragment(lane& from, message_list::iterator which, write_batch& batch);
  void emit_header(write_batch& batch, frame_header header, byte_span payload);
  byte_span compress(const outgoing_message& content, std::size_t size, write_batch& batch);
  std::size_t fragment_size(const outgoing_message& content) const;
  void refuse_oversized(lane& from);
  void leave(std::unique_ptr<outgoing_message> content, result<void> outcome);
  std::uint32_t take_stream();

  link_codec codec_;
  std::size_t configured_fragment_;
  std::size_t fragment_;
  receive_limits peer_;
  std::size_t active_limit_ = 4;
  std::uint64_t credit_ = 0;
  std::uint64_t active_bytes_ = 0;
  std::array<lane, message_priority_count> lanes_;
  int passed_over_ = 0; // frames since a lane of lower priority had its turn
  std::uint32_t last_stream_ = 0;
  std::vector<std::unique_ptr<outgoing_message>> dropped_; // maybe still in the batch

  std::uint64_t grant_ = 0;
  bool ping_ = false;
  bool pong_ = false;
  struct pending_control {
    frame_type type;
    std::uint32_t stream;
    std::vector<std::byte> payload;
  };
  std::deque<pending_control> control_;

  fragment_compressor compressor_;
  std::uint64_t messages_sent_ = 0;
  std::uint64_t frames_sent_ = 0;
};

} // namespace shoal
