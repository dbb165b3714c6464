#pragma once

#include "runtime/base/result.hpp"

#include <asio/ip/tcp.hpp>

#include <cstdint>
#include <string>

namespace shoal {

/// Binds an acceptor to a numeric address, so that it can listen; a port that its last owner has
/// just left can be had. The error names address and reason.
result<void> bind_acceptor(asio::ip::tcp::acceptor& acceptor, const std::string& host,
                           std::uint16_t port);

} // namespace shoal
