#include "runtime/net/listen.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/probe.hpp"
#include "runtime/net/tcp_stream.hpp"

namespace shoal {

result<void> bind_acceptor(asio::ip::tcp::acceptor& acceptor, const std::string& host,
                           std::uint16_t port) {
  std::error_code failure;
  const auto address = asio::ip::make_address(host, failure);
  if (failure)
    return fail(errc::invalid_argument, "expected a numeric address to listen on, got \"{}\"",
                host);
  const asio::ip::tcp::endpoint endpoint(address, port);
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (failure)
    return fail(errc::io, "cannot listen on {}: {}", to_string(endpoint), failure.message());
  return {};
}

result<void> can_listen(const std::string& host, std::uint16_t port) {
  asio::io_context io(1);
  asio::ip::tcp::acceptor acceptor(io);
  return bind_acceptor(acceptor, host, port);
}

} // namespace shoal
