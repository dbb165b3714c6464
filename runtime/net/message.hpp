#pragma once

#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// What goes first when several messages wait for the same peer.
enum class message_priority : std::uint8_t {
  control = 0,     ///< small, and others wait for it
  interactive = 1, ///< someone waits for it
  bulk = 2         ///< large, and nobody watches: weights
};

inline constexpr int message_priority_count = 3;

/// What travels over a data link: a few bytes that say what it is, and tensors. Copying shares the
/// tensors.
struct message {
  /// Bounds on `metadata` and `tensors`.
  static constexpr std::size_t max_metadata_bytes = 64 << 10;
  static constexpr std::size_t max_tensors = 64;

  std::uint16_t kind = 0; ///< the users' own enumeration
  message_priority priority = message_priority::interactive;
  std::vector<std::byte> metadata;
  std::vector<tensor> tensors; ///< none of them empty
};

/// Refuses a layout that would need padding, or an axis that `type` does not have.
result<void> check_layout(const tensor_type& type, layout format);
/// Refuses what no link carries: too much metadata, too many tensors, an empty or padded tensor.
result<void> validate(const message& content);
/// Bytes of all tensors.
std::uint64_t payload_bytes(const message& content);

} // namespace shoal
