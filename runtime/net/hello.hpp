#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

/// What a receiver takes; its senders keep to it, and whoever does not loses the connection.
struct receive_limits {
  std::uint64_t window_bytes = std::uint64_t{64} << 20;     ///< body bytes in flight per peer
  std::uint64_t max_message_bytes = std::uint64_t{2} << 30; ///< tensors of one message, in memory
  std::uint64_t max_tensor_bytes = std::uint64_t{2} << 30;  ///< one tensor
  std::uint64_t max_partial_bytes = std::uint64_t{4} << 30; ///< incomplete messages of a peer
  std::uint32_t max_partial_messages = 16;
  std::uint32_t max_fragment_bytes = std::uint32_t{4} << 20; ///< body bytes in one frame

  friend bool operator==(const receive_limits&, const receive_limits&) = default;
};

/// An error names the limit that no link could work with.
result<void> validate(const receive_limits& limits);

/// The acceptor's verdict.
enum class hello_status : std::uint8_t {
  welcome = 0,   ///< also what the initiator sends
  other_version, ///< the protocol versions differ
  wrong_peer,    ///< another incarnation than the one expected lives here
  wrong_token,   ///< the peer belongs to another cluster
  duplicate,     ///< another connection between the two exists or is being made
  overloaded     ///< too many peers
};

/// The first thing each side sends: who it is and what it takes. The initiator speaks first.
///
///   8 bytes "SHOALNET", u16 protocol version, u16 bytes of all that follows (at most 1012),
///   text software version, u8 status, u64×2 incarnation, u64×2 the incarnation expected,
///   text cluster token, u64 window, u64 max message, u64 max tensor, u64 max partial bytes,
///   u32 max partial messages, u32 max fragment, u32 CRC-32C of all before it
///
/// A text is a length in one byte and its characters. Up to the software version the layout holds
/// for every version, so that both sides can name both versions when they differ.
struct hello {
  std::uint16_t protocol = 0;
  std::string software;
  hello_status status = hello_status::welcome;
  incarnation id;
  incarnation expected; ///< zero: anyone
  std::string token;    ///< at most 255 bytes
  receive_limits limits;
};

inline constexpr std::size_t hello_prefix_bytes = 12;
inline constexpr std::size_t max_hello_bytes = 1024;

std::vector<std::byte> encode(const hello& greeting);
/// Bytes that follow the prefix; an error when these are not the first bytes of a hello.
result<std::size_t> decode_hello_prefix(byte_span prefix);
/// `bytes` is prefix and rest. `version_mismatch` names both versions.
result<hello> decode_hello(byte_span bytes);
/// What a refusal means to the initiator that expected `peer`.
error refusal(const hello& reply, const incarnation& peer);

/// The version of this software, as in "shoal 0.1.0".
std::string software_version();

} // namespace shoal
