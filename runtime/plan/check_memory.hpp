#pragma once

#include "runtime/base/result.hpp"
#include "runtime/session/session.hpp"

#include <span>

namespace shoal {

/// Refuses to run what would not fit beside everything else: the system grants more memory than it
/// has, and ends processes that then use it.
result<void> check_memory(const session& compiled, std::span<const tensor_type> inputs);

} // namespace shoal
