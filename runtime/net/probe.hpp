#pragma once

#include "runtime/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace shoal {

/// Whether something listens at host:port: connects, closes, and returns within `timeout`, name
/// lookup included. For use before calls that would block much longer. The error (`unavailable`,
/// or `deadline_exceeded` when time ran out) names host, port and reason. Any thread.
result<void> probe(const std::string& host, std::uint16_t port, std::chrono::milliseconds timeout);

/// Whether this process could listen at a numeric address, now; the error says why not.
result<void> can_listen(const std::string& host, std::uint16_t port);

} // namespace shoal
