#pragma once

#include "runtime/net/byte_stream.hpp"

#include <asio/ip/tcp.hpp>

namespace shoal {

/// A connected TCP socket as a `byte_stream`; sets it to send without delay.
std::unique_ptr<byte_stream> make_tcp_stream(asio::ip::tcp::socket socket);

/// As in "10.0.0.7:51234".
std::string to_string(const asio::ip::tcp::endpoint& endpoint);

} // namespace shoal
