#pragma once

#include "kernels/view.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// In which layouts the outputs of a session may be.
enum class output_layouts : std::uint8_t {
  plain,    ///< for everyone
  unpadded, ///< as they were computed where that takes no more bytes: what a link carries
  any       ///< as they were computed: for the next session in this process
};

/// How tensors enter and leave a session. Plain ones can come from anywhere and go anywhere; the
/// others save the reorders between one session and the next.
struct session_layouts {
  std::vector<layout> inputs{}; ///< one per graph input; empty: all plain
  output_layouts outputs = output_layouts::plain;
};

} // namespace shoal
