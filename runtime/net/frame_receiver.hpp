#pragma once

#include "runtime/net/body_codec.hpp"
#include "runtime/net/frame.hpp"
#include "runtime/net/hello.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace shoal {

/// What a `frame_receiver` finds in the bytes of its peer.
class frame_events {
 public:
  virtual ~frame_events() = default;
  virtual void on_message(message&& content) = 0;
  /// Grant the peer so many body bytes more.
  virtual void on_grant(std::uint64_t body_bytes) = 0;
  /// The message `stream` of the peer is dropped; tell it.
  virtual void on_refused(std::uint32_t stream, std::uint16_t kind, const error& reason) = 0;
  virtual void on_credit(std::uint64_t body_bytes) = 0;
  /// The peer drops our message `stream`.
  virtual void on_rejected(std::uint32_t stream, std::uint16_t kind, const error& reason) = 0;
  virtual void on_ping() = 0;
};

/// The receiving half of a connection, without the connection: says where the next bytes shall go
/// (into the storage of the tensor they belong to, where possible), and turns them into events.
/// All its input is untrusted; memory is bounded by the limits. One thread at a time.
class frame_receiver {
 public:
  /// Where the memory of tensors comes from; empty when there is none: then that message is
  /// refused.
  using allocator = std::function<storage_ptr(std::size_t)>;

  /// `events` outlives this.
  frame_receiver(const receive_limits& limits, allocator allocate, frame_events& events);
  ~frame_receiver();
  frame_receiver(const frame_receiver&) = delete;
  frame_receiver& operator=(const frame_receiver&) = delete;

  /// Where to put the bytes that come next, in this order; never empty, valid until `commit`.
  std::span<const mutable_byte_span> buffers();
  /// The first `count` bytes of `buffers()` have been filled. After an error the connection is
  /// beyond repair, and neither function is called again.
  result<void> commit(std::size_t count);

  /// Nothing has begun that is not complete.
  bool idle() const { return partial_.empty() && missing_ == 0 && begin_ == end_ && !header_; }
  std::uint64_t frames() const { return frames_; }
  /// Memory held by messages that are not complete yet.
  std::uint64_t partial_bytes() const { return partial_bytes_; }

 private:
  struct partial_message;

  result<void> parse();
  result<void> handle_small(const frame_header& header, byte_span payload);
  result<void> handle_open(const frame_header& header, byte_span payload);
  result<void> admit(partial_message& entry) const;
  result<void> begin_fragment(const frame_header& header);
  void aim_at(const partial_message& entry, std::uint64_t offset, std::size_t size);
  void fill_targets(byte_span from);
  result<void> finish_fragment();
  result<void> deliver(partial_message& entry);
  result<void> spend(std::uint64_t body_bytes);
  void replenish(std::uint64_t body_bytes);
  partial_message* find(std::uint32_t stream);
  void erase(std::uint32_t stream);

  receive_limits limits_;
  allocator allocate_;
  frame_events& events_;
  fragment_compressor compressor_;

  // Bytes not yet parsed: scratch_[begin_, end_).
  std::vector<std::byte> scratch_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t wanted_ = frame_header_bytes; // to go on parsing
  std::optional<frame_header> header_;      // parsed, its small payload still incomplete

  // The data fragment that is being received, if `fragment_stream_` is not 0.
  frame_header fragment_;
  std::vector<mutable_byte_span> targets_;
  std::size_t next_target_ = 0;
  std::size_t missing_ = 0;
  std::uint32_t fragment_crc_ = 0;
  std::vector<std::byte> aside_; // fragments that are compressed, or of messages that were refused
  std::vector<mutable_byte_span> offered_;

  std::vector<std::unique_ptr<partial_message>> partial_;
  std::uint64_t partial_bytes_ = 0;
  std::uint64_t credit_;       // what the peer may still send
  std::uint64_t consumed_ = 0; // taken in, and not granted again yet
  std::uint64_t frames_ = 0;
};

} // namespace shoal
