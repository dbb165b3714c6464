#include "tests/support/raw_peer.hpp"

#include "runtime/net/frame.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace shoal::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void bound_waits(int socket) {
  const timeval limit{20, 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

} // namespace

raw_peer::raw_peer(std::uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  bound_waits(socket_);
  const auto address = loopback(port);
  REQUIRE(connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

raw_peer::raw_peer(raw_peer&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
raw_peer::~raw_peer() {
  close();
}

void raw_peer::send(byte_span bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return; // the other side has had enough
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

std::vector<std::byte> raw_peer::receive(std::size_t count) {
  std::vector<std::byte> bytes(count);
  std::size_t size = 0;
  while (size < count) {
    const auto got = recv(socket_, bytes.data() + size, count - size, 0);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

result<hello> raw_peer::receive_hello() {
  auto bytes = receive(hello_prefix_bytes);
  SHOAL_TRY(const auto rest, decode_hello_prefix(bytes));
  const auto more = receive(rest);
  bytes.insert(bytes.end(), more.begin(), more.end());
  return decode_hello(bytes);
}

bool raw_peer::sees_end() {
  char ignored[4096];
  for (;;) {
    const auto count = recv(socket_, ignored, sizeof ignored, 0);
    if (count == 0) return true;
    if (count < 0) return errno == ECONNRESET;
  }
}

void raw_peer::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

raw_listener::raw_listener() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
  bound_waits(socket_);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  REQUIRE(bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(listen(socket_, 8) == 0);
  REQUIRE(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
}

raw_listener::~raw_listener() {
  ::close(socket_);
}

raw_peer raw_listener::accept() {
  raw_peer peer;
  peer.socket_ = ::accept(socket_, nullptr, nullptr);
  REQUIRE(peer.socket_ >= 0);
  bound_waits(peer.socket_);
  return peer;
}

hello polite_hello(const incarnation& id) {
  hello greeting;
  greeting.protocol = link_protocol_version;
  greeting.software = "raw peer";
  greeting.id = id;
  return greeting;
}

} // namespace shoal::test
