#pragma once

#include "runtime/base/result.hpp"
#include "runtime/session/session.hpp"

#include <cstdint>
#include <span>

namespace shoal {

/// Of the elements of a plain tensor.
std::uint64_t bytes_of_type(const tensor_type& type);

/// Refuses to run what would not fit beside everything else: the system grants more memory than it
/// has, and ends processes that then use it.
result<void> check_memory(const session& compiled, std::span<const tensor_type> inputs);

} // namespace shoal
