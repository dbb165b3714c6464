#include "runtime/net/local_address.hpp"

#include "runtime/base/fail.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/udp.hpp>

namespace shoal {

result<std::string> local_address_towards(const std::string& host, std::uint16_t port) {
  using asio::ip::udp;
  asio::io_context io;
  asio::error_code failed;
  udp::resolver resolver(io);
  const auto found = resolver.resolve(host, std::to_string(port), failed);
  if (failed) return fail(errc::unavailable, "cannot look up {}: {}", host, failed.message());
  udp::socket socket(io);
  for (const auto& candidate : found) { // connecting a datagram socket only picks the route
    socket.close(failed);
    socket.open(candidate.endpoint().protocol(), failed);
    if (failed) continue;
    socket.connect(candidate.endpoint(), failed);
    if (failed) continue;
    const auto local = socket.local_endpoint(failed);
    if (!failed) return local.address().to_string();
  }
  return fail(errc::unavailable, "there is no way to {}: {}", host, failed.message());
}

} // namespace shoal
