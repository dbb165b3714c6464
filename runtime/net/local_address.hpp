#pragma once

#include "runtime/base/result.hpp"

#include <cstdint>
#include <string>

namespace shoal {

/// The address of this machine on the way to `host`, as the routing table has it: what a peer there
/// can reach us by. Sends nothing. `unavailable` when there is no way.
result<std::string> local_address_towards(const std::string& host, std::uint16_t port);

} // namespace shoal
