#include "runtime/base/fail.hpp"
#include "runtime/net/frame.hpp"
#include "runtime/net/link_engine.hpp"
#include "runtime/net/tcp_stream.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shoal {
namespace {

// In time that does not depend on how much agrees.
bool same_token(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]);
  return difference == 0;
}

error explain(hello_status status, const hello& greeting) {
  switch (status) {
  case hello_status::wrong_peer:
    return fail(errc::stale, "{} connected to incarnation {}, which is not this one",
                to_string(greeting.id), to_string(greeting.expected));
  case hello_status::wrong_token:
    return fail(errc::unavailable, "{} has the wrong cluster token", to_string(greeting.id));
  case hello_status::overloaded:
    return fail(errc::resource_exhausted, "no room for the peer {}", to_string(greeting.id));
  default:
    return fail(errc::unavailable, "{} is connected already", to_string(greeting.id));
  }
}

} // namespace

hello tcp_link::engine::our_hello(hello_status status, const incarnation& expected) const {
  hello greeting;
  greeting.protocol = link_protocol_version;
  greeting.software = software_version();
  greeting.status = status;
  greeting.id = options_.id;
  greeting.expected = expected;
  // A peer that has shown no token is not told ours.
  const bool trusted = status == hello_status::welcome || status == hello_status::duplicate;
  if (trusted) greeting.token = options_.cluster_token;
  greeting.limits = options_.limits;
  return greeting;
}

void tcp_link::engine::accept() {
  accepting_ = true;
  acceptor_.async_accept([this](const std::error_code& failure, asio::ip::tcp::socket socket) {
    accepting_ = false;
    if (!acceptor_.is_open()) return;
    if (failure) { // too many descriptors, most likely: the next tick tries again
      problem("listener", fail(errc::io, "cannot accept a connection: {}", failure.message()));
      return;
    }
    on_accepted(std::move(socket));
    accept();
  });
}

void tcp_link::engine::on_accepted(asio::ip::tcp::socket socket) {
  auto stream = make_tcp_stream(std::move(socket));
  if (strangers_.size() >= options_.max_handshakes) {
    problem(stream->remote(), fail(errc::resource_exhausted, "{} connections are in the handshake",
                                   strangers_.size()));
    return;
  }
  const auto stranger = std::make_shared<handshake>(
      std::move(stream),
      [this](handshake& done, result<hello> greeting) { on_greeted(done, std::move(greeting)); });
  stranger->deadline = clock::now() + options_.handshake_timeout;
  strangers_.insert(stranger);
  stranger->expect();
}

void tcp_link::engine::on_greeted(handshake& stranger, result<hello> greeting) {
  const auto self = stranger.shared_from_this();
  if (!greeting) {
    problem(stranger.remote(), greeting.error());
    if (greeting.error().code() == errc::version_mismatch)
      return stranger.refuse(our_hello(hello_status::other_version, {})); // closed by the deadline
    strangers_.erase(self);
    return stranger.cancel();
  }
  peer_ptr peer;
  const auto status = judge(*greeting, peer);
  auto reply = our_hello(status, greeting->id);
  if (status != hello_status::welcome) {
    if (status != hello_status::duplicate) problem(stranger.remote(), explain(status, *greeting));
    return stranger.refuse(reply);
  }
  strangers_.erase(self);
  peer->stop_connecting();
  establish(*peer, stranger.take_stream(), *greeting, encode(reply));
}

// Two sides that connect to each other at once must end with the same connection: once both hellos
// are out, that of the smaller incarnation counts.
hello_status tcp_link::engine::judge(const hello& greeting, peer_ptr& peer) {
  if (!same_token(greeting.token, options_.cluster_token)) return hello_status::wrong_token;
  if (greeting.id == options_.id) return hello_status::wrong_peer;
  if (greeting.expected != incarnation{} && greeting.expected != options_.id)
    return hello_status::wrong_peer;
  {
    std::lock_guard lock(mutex_);
    peer = find_or_add(greeting.id);
  }
  if (!peer) return hello_status::overloaded;
  if (peer->link) {
    // Either the other half of such a race, or the peer has lost this connection without our
    // noticing: find out. It tries again.
    peer->queue.ping();
    peer->link->pump();
    return hello_status::duplicate;
  }
  if (peer->connecting && peer->connecting->greeting && options_.id < greeting.id)
    return hello_status::duplicate;
  return hello_status::welcome;
}

void tcp_link::engine::connect(const peer_ptr& peer) {
  if (peer->connecting) return;
  peer->connecting = std::make_unique<link_peer::attempt>();
  peer->connecting->deadline = clock::now() + options_.connect_timeout;
  dial_peer(peer);
}

void tcp_link::engine::dial_peer(const peer_ptr& peer) {
  peer_address address;
  {
    std::lock_guard lock(mutex_);
    address = peer->address;
  }
  peer->connecting->dialling = std::make_shared<dial>(
      io_, address.host, address.port, [this, peer](result<asio::ip::tcp::socket> connected) {
        if (!connected) return fail_connecting(*peer, connected.error());
        greet(peer, *std::move(connected));
      });
  peer->connecting->dialling->start();
}

void tcp_link::engine::greet(const peer_ptr& peer, asio::ip::tcp::socket socket) {
  peer->connecting->dialling.reset();
  peer->connecting->greeting = std::make_shared<handshake>(
      make_tcp_stream(std::move(socket)), [this, peer](handshake& done, result<hello> reply) {
        on_reply(peer, done, std::move(reply));
      });
  peer->connecting->greeting->greet(our_hello(hello_status::welcome, peer->id));
}

void tcp_link::engine::on_reply(const peer_ptr& peer, handshake& greeting, result<hello> reply) {
  if (!reply) return fail_connecting(*peer, reply.error());
  if (reply->status == hello_status::duplicate) { // theirs will come, or we try again
    auto& attempt = *peer->connecting;
    attempt.greeting->cancel();
    attempt.greeting.reset();
    attempt.retry_at = clock::now() + std::chrono::milliseconds(20) * ++attempt.retries;
    return;
  }
  if (reply->status != hello_status::welcome)
    return fail_connecting(*peer, refusal(*reply, peer->id));
  if (reply->id != peer->id) {
    reply->status = hello_status::wrong_peer;
    return fail_connecting(*peer, refusal(*reply, peer->id));
  }
  if (!same_token(reply->token, options_.cluster_token)) {
    reply->status = hello_status::wrong_token;
    return fail_connecting(*peer, refusal(*reply, peer->id));
  }
  auto stream = greeting.take_stream();
  peer->connecting.reset();
  establish(*peer, std::move(stream), *reply, {});
}

void tcp_link::engine::fail_connecting(link_peer& peer, const error& reason) {
  peer.stop_connecting();
  std::string remote;
  {
    std::lock_guard lock(mutex_);
    remote = to_string(peer.address);
  }
  problem(remote, reason);
  // What is no answer of the peer counts as "cannot be reached".
  const bool answer = reason.code() == errc::stale || reason.code() == errc::version_mismatch;
  peer.queue.fail_all(nullptr, answer ? reason : error(errc::unavailable, reason.message()));
  forget_if_unused(peer);
}

void tcp_link::engine::establish(link_peer& peer, std::unique_ptr<byte_stream> stream,
                                 const hello& theirs, std::vector<std::byte> preamble) {
  auto allocate = options_.allocate;
  if (!allocate) allocate = [](std::size_t size) { return buffer_pool::shared().take(size); };
  peer.queue.start(theirs.limits);
  peer.link = std::make_shared<connection>(std::move(stream), options_.limits, std::move(allocate),
                                           peer.queue, peer, clock::now());
  {
    std::lock_guard lock(mutex_);
    peer.connected = true;
  }
  peer.link->start(std::move(preamble));
}

void tcp_link::engine::schedule_tick() {
  timer_.expires_after(tick_interval_);
  timer_.async_wait([this](const std::error_code& failure) {
    if (failure || !acceptor_.is_open()) return;
    tick();
    schedule_tick();
  });
}

void tcp_link::engine::tick() {
  const auto now = clock::now();
  if (!accepting_) accept();
  for (auto it = strangers_.begin(); it != strangers_.end();) {
    const auto stranger = *it;
    const bool over = now >= stranger->deadline;
    it = over || stranger->finished() ? strangers_.erase(it) : std::next(it);
    if (!over) continue;
    if (stranger->waiting())
      problem(stranger->remote(), fail(errc::deadline_exceeded, "no hello within {} ms",
                                       options_.handshake_timeout.count()));
    stranger->cancel();
  }
  std::vector<peer_ptr> peers;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, peer] : peers_) peers.push_back(peer);
  }
  for (const auto& peer : peers) {
    if (peer->link)
      peer->link->tick(now, options_.ping_interval, options_.dead_after);
    else if (peer->connecting)
      tick_connecting(peer, now);
  }
}

void tcp_link::engine::tick_connecting(const peer_ptr& peer, clock::time_point now) {
  auto& attempt = *peer->connecting;
  if (now >= attempt.deadline) {
    const char* stage = attempt.dialling   ? "to connect"
                        : attempt.greeting ? "for its hello"
                                           : "for it to accept a connection";
    return fail_connecting(*peer, fail(errc::unavailable, "timed out after {} ms: waited {}",
                                       options_.connect_timeout.count(), stage));
  }
  if (!attempt.dialling && !attempt.greeting && now >= attempt.retry_at) dial_peer(peer);
}

} // namespace shoal
