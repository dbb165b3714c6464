#include "runtime/net/link_engine.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/listen.hpp"
#include "runtime/net/tcp_stream.hpp"

#include <asio/post.hpp>

#include <algorithm>
#include <cassert>

namespace shoal {

tcp_link::engine::engine(tcp_link_options options, link_handlers handlers)
    : options_(std::move(options)), handlers_(std::move(handlers)) {
  const auto shortest = std::min({options_.connect_timeout, options_.handshake_timeout,
                                  options_.ping_interval, options_.dead_after});
  tick_interval_ =
      std::clamp(shortest / 8, std::chrono::milliseconds(5), std::chrono::milliseconds(250));
}

tcp_link::engine::~engine() {
  close();
}

result<void> tcp_link::engine::listen() {
  SHOAL_CHECK(validate(options_.limits));
  if (options_.cluster_token.size() > 255)
    return fail(errc::invalid_argument, "expected a cluster token of at most 255 bytes, got {}",
                options_.cluster_token.size());
  if (options_.fragment_bytes < 4096 || options_.fragment_bytes > max_data_payload)
    return fail(errc::invalid_argument, "expected fragments of 4096 to {} bytes, got {}",
                max_data_payload, options_.fragment_bytes);
  SHOAL_CHECK(bind_acceptor(acceptor_, options_.listen_host, options_.listen_port));
  std::error_code failure;
  acceptor_.listen(asio::socket_base::max_listen_connections, failure);
  if (failure)
    return fail(errc::io, "cannot listen on {}:{}: {}", options_.listen_host, options_.listen_port,
                failure.message());
  address_ = {options_.id,
              options_.advertised_host.empty() ? options_.listen_host : options_.advertised_host,
              acceptor_.local_endpoint(failure).port()};
  accept();
  schedule_tick();
  thread_ = std::thread([this] { run(); });
  return {};
}

void tcp_link::engine::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& failure) { // out of memory; that connection will time out
      problem("link", error(errc::internal, failure.what()));
    }
  }
}

void tcp_link::engine::send(const peer_address& to, message content, send_completion done) {
  auto prepared = prepare(std::move(content), options_.codec, buffer_pool::shared());
  if (!prepared) return call(done, result<void>(std::move(prepared).error()));
  if (done) // what a completion throws must not cost a connection
    (*prepared)->done = [this, done = std::move(done)](result<void> outcome) {
      call(done, std::move(outcome));
    };
  if (auto queued = enqueue(to, *prepared); !queued && (*prepared)->done)
    (*prepared)->done(std::move(queued));
}

result<void> tcp_link::engine::enqueue(const peer_address& to,
                                       std::unique_ptr<outgoing_message>& content) {
  const auto bytes = content->queue_bytes();
  std::lock_guard lock(mutex_);
  if (closed_) return fail(errc::cancelled, "the link is closed");
  const auto peer = find_or_add(to.id);
  if (!peer)
    return fail(errc::resource_exhausted, "the link knows {} peers already", options_.max_peers);
  const auto queued = peer->queued_bytes.load();
  if (peer->queued_messages >= options_.max_queued_messages ||
      (queued > 0 && queued + bytes > options_.max_queued_bytes))
    return fail(errc::resource_exhausted, "{} messages of {} bytes wait for {} already",
                peer->queued_messages.load(), queued, to_string(to));
  peer->queued_bytes += bytes;
  ++peer->queued_messages;
  if (!peer->connected) peer->address = to;
  peer->inbox.push_back(std::move(content));
  if (!std::exchange(peer->dirty, true)) dirty_.push_back(peer);
  if (!std::exchange(flush_posted_, true)) asio::post(io_, [this] { flush(); });
  return {};
}

tcp_link::engine::peer_ptr tcp_link::engine::find_or_add(const incarnation& id) {
  if (const auto found = peers_.find(id); found != peers_.end()) return found->second;
  if (peers_.size() >= options_.max_peers) return nullptr;
  auto peer = std::make_shared<link_peer>(id, *this, options_.codec, options_.fragment_bytes);
  peers_.emplace(id, peer);
  return peer;
}

// Moves what other threads have sent to the queues of the link's thread.
void tcp_link::engine::flush() {
  std::vector<peer_ptr> dirty;
  {
    std::lock_guard lock(mutex_);
    flush_posted_ = false;
    dirty.swap(dirty_);
    for (const auto& peer : dirty) {
      peer->dirty = false;
      for (auto& content : peer->inbox) peer->queue.push(std::move(content));
      peer->inbox.clear();
    }
  }
  for (const auto& peer : dirty) {
    if (peer->id == options_.id)
      deliver_to_self(*peer);
    else if (peer->link)
      peer->link->pump();
    else
      connect(peer);
  }
}

void tcp_link::engine::deliver_to_self(link_peer& self) {
  for (auto& content : self.queue.take_all()) {
    self.queue.on_left(*content);
    if (content->done) content->done({});
    on_message(self, std::move(content->content));
  }
}

void tcp_link::engine::on_message(link_peer& peer, message&& content) {
  call(handlers_.on_message, peer.id, std::move(content));
}

void tcp_link::engine::on_rejected(link_peer& peer, std::uint16_t kind, const error& reason) {
  call(handlers_.on_rejected, peer.id, kind, reason);
}

void tcp_link::engine::on_broken(link_peer& peer, const error& reason) {
  const auto link = std::exchange(peer.link, nullptr);
  {
    std::lock_guard lock(mutex_);
    gone_ += link->counters();
    peer.counters.store({});
    peer.connected = false;
  }
  const auto id = peer.id;
  forget_if_unused(peer);
  if (!link->left()) problem(link->remote(), reason);
  call(handlers_.on_peer_down, id, reason);
}

void tcp_link::engine::forget_if_unused(link_peer& peer) {
  std::lock_guard lock(mutex_);
  if (peer.link || peer.connecting || peer.dirty || !peer.inbox.empty()) return;
  peers_.erase(peer.id);
}

void tcp_link::engine::problem(std::string_view remote, const error& reason) {
  if (!handlers_.on_problem) return;
  try {
    handlers_.on_problem(remote, reason);
  } catch (...) { // there is nobody left to tell
  }
}

link_stats tcp_link::engine::stats() const {
  link_stats all;
  std::lock_guard lock(mutex_);
  all.total = gone_;
  for (const auto& [id, peer] : peers_) {
    all.peers.push_back(
        {id, peer->connected, peer->counters.load(), peer->queued_messages, peer->queued_bytes});
    all.total += all.peers.back().counters;
  }
  return all;
}

void tcp_link::engine::close() {
  std::lock_guard once(closing_);
  if (!thread_.joinable()) return;
  assert(thread_.get_id() != std::this_thread::get_id());
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  asio::post(io_, [this] { shut_down(); });
  thread_.join();
}

void tcp_link::engine::shut_down() {
  const auto reason = fail(errc::cancelled, "the link is closed");
  std::map<incarnation, peer_ptr> peers;
  {
    std::lock_guard lock(mutex_);
    peers.swap(peers_);
    dirty_.clear();
  }
  for (const auto& [id, peer] : peers) {
    for (auto& content : peer->inbox) peer->queue.push(std::move(content));
    peer->inbox.clear();
    peer->stop_connecting();
    if (peer->link) {
      peer->link->close(reason);
      std::lock_guard lock(mutex_);
      gone_ += peer->link->counters();
      peer->link.reset();
    }
    peer->queue.fail_all(nullptr, reason);
  }
  for (const auto& stranger : strangers_) stranger->cancel();
  std::error_code ignored;
  acceptor_.close(ignored);
  timer_.cancel();
  // The operations just cancelled keep the peers' connections alive until they have ended.
  asio::post(io_, [this, peers = std::move(peers)] {
    strangers_.clear();
    io_.stop();
  });
}

tcp_link::tcp_link(std::unique_ptr<engine> implementation) : engine_(std::move(implementation)) {}
tcp_link::~tcp_link() = default;

result<std::unique_ptr<tcp_link>> tcp_link::open(tcp_link_options options, link_handlers handlers) {
  auto implementation = std::make_unique<engine>(std::move(options), std::move(handlers));
  SHOAL_CHECK(implementation->listen());
  return std::unique_ptr<tcp_link>(new tcp_link(std::move(implementation)));
}

peer_address tcp_link::address() const {
  return engine_->address();
}

void tcp_link::send(const peer_address& peer, message content, send_completion done) {
  engine_->send(peer, std::move(content), std::move(done));
}

link_stats tcp_link::stats() const {
  return engine_->stats();
}
void tcp_link::close() {
  engine_->close();
}

} // namespace shoal
