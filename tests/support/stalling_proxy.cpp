#include "tests/support/stalling_proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace shoal::test {
namespace {

sockaddr_in address_of(const std::string& host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

} // namespace

stalling_proxy::stalling_proxy(const std::string& host, std::uint16_t port,
                               std::uint64_t answer_bytes)
    : port_(port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      allowance_(answer_bytes) {
  const auto here = address_of(host, port);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0 ||
      listen(listener_, 16) != 0) {
    close(listener_);
    throw std::runtime_error("cannot listen at " + host);
  }
  accepting_ = std::thread([this] { accept_all(); });
}

stalling_proxy::~stalling_proxy() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    for (const int s : sockets_) shutdown(s, SHUT_RDWR);
  }
  changed_.notify_all();
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  for (auto& thread : passing_) thread.join();
  for (const int s : sockets_) close(s);
  close(listener_);
}

void stalling_proxy::open() {
  {
    std::lock_guard lock(mutex_);
    open_ = true;
  }
  changed_.notify_all();
}

void stalling_proxy::accept_all() {
  for (;;) {
    const int near = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (near < 0) return;
    const int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto server = address_of("127.0.0.1", port_);
    std::lock_guard lock(mutex_);
    sockets_.insert(sockets_.end(), {near, far});
    if (closing_ || connect(far, reinterpret_cast<const sockaddr*>(&server), sizeof server) != 0) {
      shutdown(near, SHUT_RDWR);
      continue;
    }
    passing_.emplace_back([this, near, far] { pass(near, far, false); });
    passing_.emplace_back([this, near, far] { pass(far, near, true); });
  }
}

// Until either side hangs up; then both do.
void stalling_proxy::pass(int from, int to, bool answers) {
  std::vector<char> bytes(64 << 10);
  for (;;) {
    const auto wanted = answers ? wait_for_allowance(bytes.size()) : bytes.size();
    const auto got = wanted == 0 ? 0 : recv(from, bytes.data(), wanted, 0);
    if (got <= 0) break;
    for (ssize_t sent = 0; sent < got;) {
      const auto count =
          send(to, bytes.data() + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += count;
    }
    if (!answers) continue;
    std::lock_guard lock(mutex_);
    allowance_ -= std::min<std::uint64_t>(allowance_, static_cast<std::uint64_t>(got));
  }
  shutdown(from, SHUT_RDWR);
  shutdown(to, SHUT_RDWR);
}

/// How many bytes may pass now; 0 when it is over.
std::size_t stalling_proxy::wait_for_allowance(std::size_t wanted) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closing_ || open_ || allowance_ > 0; });
  if (closing_) return 0;
  return open_ ? wanted : static_cast<std::size_t>(std::min<std::uint64_t>(wanted, allowance_));
}

} // namespace shoal::test
