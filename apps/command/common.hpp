#pragma once

#include "runtime/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace shoal {

struct host_and_port {
  std::string host;
  std::uint16_t port = 0;
};

/// "HOST:PORT", "[IPV6]:PORT".
result<host_and_port> parse_host_and_port(std::string_view text);

/// The port at which heads listen unless told otherwise.
inline constexpr std::uint16_t default_control_port = 4100;

/// Waits for SIGINT or SIGTERM, or until `stop` is set. To be called first thing in `main`'s
/// thread: threads started later inherit the blocked signals.
class signal_waiter {
 public:
  signal_waiter();
  /// The signal that came; 0 after `timeout`.
  int wait(std::chrono::milliseconds timeout);
};

} // namespace shoal
