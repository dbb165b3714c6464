#pragma once

#include "actors/part.hpp"
#include "runtime/net/message.hpp"

namespace shoal {

/// What the messages of the tensor link are. Part of the wire format: append, never renumber.
enum class link_kind : std::uint16_t {
  part = 1,          ///< a part, with the values for the hop it is on its way to
  chunk_request = 2, ///< metadata: the digest
  chunk = 3,         ///< metadata: the digest; one tensor of bytes
  chunk_missing = 4  ///< metadata: the digest, then an error text
};

/// A part as a message for the tensor link. Its values are shared, not copied. The deadline travels
/// as the milliseconds that remain at `now`.
message encode_part(const part& p, instant now);

/// The way back; `content` is moved from. `malformed` for metadata that is cut short, too long,
/// or counts more hops or stages than a route may have.
result<part_ptr> decode_part(message&& content, instant now);

} // namespace shoal
