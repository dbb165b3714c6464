#pragma once

#include "kernels/view.hpp"

#include <vector>

namespace shoal {

/// How tensors enter and leave a session. Plain ones can come from anywhere and go anywhere; the
/// others save the reorders between two sessions of one device.
struct session_layouts {
  std::vector<layout> inputs{};      ///< one per graph input; empty: all plain
  bool outputs_as_they_come = false; ///< outputs stay in the layout that they were computed in
};

} // namespace shoal
