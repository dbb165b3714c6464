#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/net/message.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

// The wire of the tensor link, version 2. All integers are little-endian.
//
// A connection starts with one hello from each side (hello.hpp). From then on both sides send
// frames: a header of 32 bytes, then `payload_bytes` of payload.
//
//   0  u16 magic 0x4c53 ("SL")     8  u32 stream
//   2  u8  type                   12  u32 body_bytes
//   3  u8  encoding               16  u64 offset
//   4  u32 payload_bytes          24  u32 CRC-32C of the payload
//                                 28  u32 CRC-32C of header bytes 0 to 27
//
// The *body* of a message is its tensors' encoded bytes, one after the other. A message is one
// `open` frame, which either holds the whole body (small messages) or none of it, and then `data`
// frames in order, between which frames of other messages may come.
//
//   type     stream  encoding  body_bytes          offset    payload
//   open     yes     0         bytes of body in it  0        open_frame, below
//   data     yes     raw|zstd  body bytes it holds  in body  those bytes; zstd: compressed, and
//   then
//                                                            they lie within one tensor
//   credit   0       0         0                    bytes    none: the peer may send so many body
//                                                            bytes more
//   reject   yes     0         0                    0        u8 errc, u16 kind, text: the receiver
//                                                            of `stream` drops that message
//   abort    yes     0         0                    0        none: the sender of `stream` stops it
//   ping     0       0         0                    0        none; answered by pong
//   pong     0       0         0                    0        none
//
// Payload of open: u16 kind, u8 priority, u8 tensors, u32 metadata bytes, u64 bytes of the whole
// body; per tensor u8 dtype, u8 rank, u8 encoding (plain|fp16), u8 layout, then rank × u64 extent;
// the metadata; the body, if it is in this frame. fp16: a float32 tensor sent as binary16. Layouts
// other than plain have at least three axes, and need no padding.
//
// Flow: a sender starts with the window that the receiver's hello grants, spends it by body bytes,
// and gets it back by credit frames. Streams are numbered by their sender; a number is free again
// when its message is complete or aborted.

inline constexpr std::uint16_t link_protocol_version = 2;
inline constexpr std::uint16_t frame_magic = 0x4c53;
inline constexpr std::size_t frame_header_bytes = 32;
/// A body up to this size travels within the open frame.
inline constexpr std::size_t max_inline_body = 4096;
inline constexpr std::size_t max_tensor_entry_bytes = 4 + 8 * shape::max_rank;
inline constexpr std::size_t max_open_payload = 16 + message::max_tensors * max_tensor_entry_bytes +
                                                message::max_metadata_bytes + max_inline_body;
inline constexpr std::size_t max_reject_payload = 4 + 255;
/// No frame carries more payload, whatever the limits of the link say.
inline constexpr std::size_t max_data_payload = std::size_t{16} << 20;

enum class frame_type : std::uint8_t { open = 1, data, credit, reject, abort, ping, pong };

/// Of a data frame's payload.
enum class fragment_encoding : std::uint8_t { raw = 0, zstd = 1 };

/// Of a tensor within the body.
enum class tensor_encoding : std::uint8_t { plain = 0, fp16 = 1 };

struct frame_header {
  frame_type type = frame_type::ping;
  fragment_encoding encoding = fragment_encoding::raw;
  std::uint32_t payload_bytes = 0;
  std::uint32_t stream = 0;
  std::uint32_t body_bytes = 0;
  std::uint64_t offset = 0;
  std::uint32_t payload_crc = 0;

  friend bool operator==(const frame_header&, const frame_header&) = default;
};

/// Writes the `frame_header_bytes` at `out`.
void encode(const frame_header& header, std::byte* out);
/// `bytes` are `frame_header_bytes`. An error for wrong magic, checksum, type, encoding, or sizes
/// that a frame of this type cannot have.
result<frame_header> decode_frame_header(byte_span bytes);

struct tensor_entry {
  tensor_type type;
  tensor_encoding encoding = tensor_encoding::plain;
  layout format = layout::plain;

  /// Bytes of the elements in memory and in the body. `type` has been checked.
  std::uint64_t memory_bytes() const;
  std::uint64_t body_bytes() const;
  friend bool operator==(const tensor_entry&, const tensor_entry&) = default;
};

/// The payload of an open frame. The spans belong to whoever made it.
struct open_frame {
  std::uint16_t kind = 0;
  message_priority priority = message_priority::interactive;
  std::uint64_t body_bytes = 0;
  std::vector<tensor_entry> tensors;
  byte_span metadata;
  byte_span inline_body; ///< empty, or all `body_bytes`
};

/// Bytes of the payload without its inline body.
std::size_t encoded_bytes(const open_frame& frame);
/// Writes all but the inline body; `out` has `encoded_bytes(frame)` of room.
void encode(const open_frame& frame, mutable_byte_span out);
/// Checks every count, type, extent and sum; allocates nothing that `payload` does not pay for.
result<open_frame> decode_open_frame(byte_span payload);

struct reject_frame {
  errc code = errc::internal;
  std::uint16_t kind = 0;
  std::string text;
};

/// The payload of a reject frame; the text is cut at 255 bytes.
std::vector<std::byte> encode(const reject_frame& frame);
result<reject_frame> decode_reject_frame(byte_span payload);

} // namespace shoal
