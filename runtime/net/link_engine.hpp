#pragma once

#include "runtime/net/link_peer.hpp"
#include "runtime/net/tcp_link.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace shoal {

/// What is behind `tcp_link`: the thread, the listening socket, the peers.
class tcp_link::engine final : public link_peer_owner {
 public:
  engine(tcp_link_options options, link_handlers handlers);
  ~engine() override;

  result<void> listen();
  const peer_address& address() const { return address_; }
  void send(const peer_address& to, message content, send_completion done);
  link_stats stats() const;
  void close();

 private:
  using clock = connection::clock;
  using peer_ptr = std::shared_ptr<link_peer>;

  // Sending (link_engine.cpp).
  void run();
  result<void> enqueue(const peer_address& to, std::unique_ptr<outgoing_message>& content);
  void flush();
  void deliver_to_self(link_peer& self);
  peer_ptr find_or_add(const incarnation& id); // mutex held; null when there are too many
  void forget_if_unused(link_peer& peer);
  void on_message(link_peer& peer, message&& content) override;
  void on_rejected(link_peer& peer, std::uint16_t kind, const error& reason) override;
  void on_broken(link_peer& peer, const error& reason) override;
  void problem(std::string_view remote, const error& reason);
  template <class Handler, class... Args>
  void call(const Handler& handler, Args&&... args);

  // Connecting (link_connect.cpp).
  void accept();
  void on_accepted(asio::ip::tcp::socket socket);
  void on_greeted(handshake& stranger, result<hello> greeting);
  hello_status judge(const hello& greeting, peer_ptr& peer);
  void connect(const peer_ptr& peer);
  void dial_peer(const peer_ptr& peer);
  void greet(const peer_ptr& peer, asio::ip::tcp::socket socket);
  void on_reply(const peer_ptr& peer, handshake& greeting, result<hello> reply);
  void fail_connecting(link_peer& peer, const error& reason);
  void establish(link_peer& peer, std::unique_ptr<byte_stream> stream, const hello& theirs,
                 std::vector<std::byte> preamble);
  hello our_hello(hello_status status, const incarnation& expected) const;
  void schedule_tick();
  void tick();
  void tick_connecting(const peer_ptr& peer, clock::time_point now);
  void shut_down();

  const tcp_link_options options_;
  const link_handlers handlers_;
  peer_address address_;
  clock::duration tick_interval_;

  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_{io_};
  asio::steady_timer timer_{io_};
  bool accepting_ = false;
  std::set<std::shared_ptr<handshake>> strangers_;
  std::thread thread_;
  std::mutex closing_;

  mutable std::mutex mutex_;
  std::map<incarnation, peer_ptr> peers_; // changed by the link's thread and by `send`
  std::vector<peer_ptr> dirty_;
  bool flush_posted_ = false;
  bool closed_ = false;
  link_counters gone_; // of connections that have ended
};

template <class Handler, class... Args>
void tcp_link::engine::call(const Handler& handler, Args&&... args) {
  if (!handler) return;
  try {
    handler(std::forward<Args>(args)...);
  } catch (const std::exception& failure) {
    problem("handler", error(errc::internal, failure.what()));
  } catch (...) {
    problem("handler", error(errc::internal, "threw something that is no exception"));
  }
}

} // namespace shoal
