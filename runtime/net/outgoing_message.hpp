#pragma once

#include "runtime/net/body_codec.hpp"
#include "runtime/net/data_link.hpp"
#include "runtime/net/frame.hpp"

#include <memory>
#include <vector>

namespace shoal {

/// A message on its way out: keeps its tensors alive, knows where its body lies in memory and how
/// much of it has been cut into frames.
struct outgoing_message {
  struct body_part {
    byte_span bytes;
    storage_ptr converted; ///< holds `bytes` when they are not the tensor's own
  };

  message content;
  std::vector<tensor_entry> entries;
  std::vector<body_part> parts; ///< the body, in order; none is empty
  std::uint64_t body_bytes = 0;
  std::uint64_t memory_bytes = 0; ///< what the receiver needs
  send_completion done;

  std::uint32_t stream = 0;
  std::uint64_t cut = 0; ///< body bytes that have been put into frames
  std::size_t part = 0;  ///< where the next comes from
  std::size_t part_offset = 0;

  std::uint64_t remaining() const { return body_bytes - cut; }
  /// What it counts against the bound of a queue.
  std::uint64_t queue_bytes() const { return body_bytes + content.metadata.size(); }
};

/// Checks the message and converts what `codec` asks for, in the caller's thread. `done` stays the
/// caller's on failure.
result<std::unique_ptr<outgoing_message>> prepare(message content, const link_codec& codec,
                                                  buffer_pool& pool);

} // namespace shoal
