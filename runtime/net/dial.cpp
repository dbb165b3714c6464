#include "runtime/net/dial.hpp"

#include "runtime/base/fail.hpp"

#include <asio/post.hpp>
#include <netdb.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace shoal {
namespace {

// Threads that wait for a name server cannot be interrupted; a broken one must not collect them.
constexpr int max_lookups = 16;
std::atomic<int> lookups{0};

using endpoints = std::vector<asio::ip::tcp::endpoint>;

result<endpoints> resolve(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &list); failure != 0)
    return fail(errc::unavailable, "{}:{}: no such host ({})", host, port, gai_strerror(failure));
  endpoints found;
  for (const auto* entry = list; entry != nullptr; entry = entry->ai_next) {
    asio::ip::tcp::endpoint endpoint;
    if (entry->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), entry->ai_addr, entry->ai_addrlen);
    endpoint.resize(entry->ai_addrlen);
    endpoint.port(port);
    found.push_back(endpoint);
  }
  freeaddrinfo(list);
  if (found.empty()) return fail(errc::unavailable, "{}:{}: no such host", host, port);
  return found;
}

} // namespace

/// Shared with the thread that looks the name up; `io` is null once nobody waits.
struct dial::lookup {
  std::mutex mutex;
  asio::io_context* io = nullptr;
};

dial::dial(asio::io_context& io, std::string host, std::uint16_t port, outcome done)
    : socket_(io), io_(io), host_(std::move(host)), port_(port), done_(std::move(done)) {}

void dial::start() {
  const auto self = shared_from_this();
  std::error_code not_numeric;
  const auto address = asio::ip::make_address(host_, not_numeric);
  if (!not_numeric) {
    endpoints_.emplace_back(address, port_);
    return connect();
  }
  if (lookups.fetch_add(1) >= max_lookups) {
    lookups.fetch_sub(1);
    return asio::post(io_, [self] {
      self->finish(fail(errc::resource_exhausted, "{}:{}: {} name lookups hang already",
                        self->host_, self->port_, max_lookups));
    });
  }
  lookup_ = std::make_shared<lookup>();
  lookup_->io = &io_;
  auto work = [self = weak_from_this(), state = lookup_, host = host_, port = port_] {
    auto found = resolve(host, port);
    lookups.fetch_sub(1);
    std::lock_guard lock(state->mutex);
    if (state->io == nullptr) return;
    asio::post(*state->io, [self, found = std::move(found)]() mutable {
      const auto alive = self.lock();
      if (!alive) return;
      if (!found) return alive->finish(std::move(found).error());
      alive->endpoints_ = *std::move(found);
      alive->connect();
    });
  };
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error& refused) {
    lookups.fetch_sub(1);
    asio::post(io_, [self, why = std::string(refused.what())] {
      self->finish(fail(errc::resource_exhausted, "{}:{}: no thread to look the name up: {}",
                        self->host_, self->port_, why));
    });
  }
}

void dial::connect() {
  if (!done_) return;
  std::error_code ignored;
  socket_.close(ignored);
  socket_.async_connect(endpoints_[next_], [self = shared_from_this()](
                                               const std::error_code& failure) {
    if (!self->done_) return;
    if (!failure) return self->finish(std::move(self->socket_));
    if (++self->next_ < self->endpoints_.size()) return self->connect();
    self->finish(fail(errc::unavailable, "{}:{}: {}", self->host_, self->port_, failure.message()));
  });
}

void dial::finish(result<asio::ip::tcp::socket> connected) {
  if (const auto done = std::exchange(done_, nullptr)) done(std::move(connected));
}

void dial::cancel() {
  done_ = nullptr;
  if (lookup_) {
    std::lock_guard lock(lookup_->mutex);
    lookup_->io = nullptr;
  }
  std::error_code ignored;
  socket_.close(ignored);
}

std::string dial::progress() const {
  return endpoints_.empty() ? "looking up the name" : "connecting";
}

} // namespace shoal
