#include "runtime/net/discovery.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/net/frame.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/multicast.hpp>
#include <asio/ip/udp.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <random>
#include <thread>

namespace shoal {
namespace {

using asio::ip::udp;

struct addresses {
  asio::ip::address_v4 interface;
  udp::endpoint group;
};

result<addresses> parse(const discovery_options& options) {
  std::error_code failure;
  const auto interface = asio::ip::make_address_v4(options.interface_address, failure);
  if (failure)
    return fail(errc::invalid_argument, "expected the IPv4 address of an interface, got \"{}\"",
                options.interface_address);
  const auto group = asio::ip::make_address_v4(options.group, failure);
  if (failure || !group.is_multicast())
    return fail(errc::invalid_argument, "expected an IPv4 multicast group, got \"{}\"",
                options.group);
  if (options.cluster.size() > 255)
    return fail(errc::invalid_argument, "expected a cluster name of at most 255 bytes, got {}",
                options.cluster.size());
  return addresses{interface, {group, options.port}};
}

/// Hands every well-formed datagram on, and drops what is not.
class datagram_reader {
 public:
  using handler = std::function<void(const discovery_datagram&, const udp::endpoint& sender)>;

  datagram_reader(udp::socket& socket, handler on_datagram)
      : socket_(socket), on_datagram_(std::move(on_datagram)) {
    receive();
  }

 private:
  void receive() {
    socket_.async_receive_from(
        asio::buffer(buffer_), sender_, [this](const std::error_code& failure, std::size_t count) {
          if (!socket_.is_open() || failure == asio::error::operation_aborted) return;
          if (!failure) // an error belongs to a datagram sent earlier: unreachable
            if (const auto datagram = decode_discovery_datagram(byte_span(buffer_).first(count)))
              on_datagram_(*datagram, sender_);
          receive();
        });
  }

  udp::socket& socket_;
  handler on_datagram_;
  udp::endpoint sender_;
  std::array<std::byte, max_discovery_bytes + 1> buffer_; // one more: a larger one is noticed
};

void send(udp::socket& socket, const discovery_datagram& datagram, const udp::endpoint& to,
          std::error_code& failure) {
  socket.send_to(asio::buffer(encode(datagram)), to, 0, failure);
}

result<void> open_to_ask(udp::socket& socket, const addresses& where) {
  std::error_code failure;
  socket.open(udp::v4(), failure);
  if (!failure) socket.bind({where.interface, 0}, failure);
  if (!failure)
    socket.set_option(asio::ip::multicast::outbound_interface(where.interface), failure);
  if (!failure) socket.set_option(asio::ip::multicast::enable_loopback(true), failure);
  if (!failure) socket.set_option(asio::ip::multicast::hops(1), failure);
  if (!failure) socket.non_blocking(true, failure);
  if (failure) return fail(errc::io, "cannot use multicast: {}", failure.message());
  return {};
}

result<void> open_to_answer(udp::socket& socket, const addresses& where) {
  std::error_code failure;
  socket.open(udp::v4(), failure);
  if (!failure) socket.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) socket.bind(where.group, failure); // several heads may share group and port
  if (!failure)
    socket.set_option(
        asio::ip::multicast::join_group(where.group.address().to_v4(), where.interface), failure);
  if (!failure) socket.non_blocking(true, failure);
  if (failure)
    return fail(errc::io, "cannot join {}:{}: {}", where.group.address().to_string(),
                where.group.port(), failure.message());
  return {};
}

} // namespace

struct discovery_responder::state {
  asio::io_context io{1};
  udp::socket socket{io};
  // Answers leave by another socket: one bound to the group's address has no valid source.
  udp::socket answers{io};
  std::unique_ptr<datagram_reader> reader;
  std::thread thread;
};

discovery_responder::discovery_responder(std::unique_ptr<state> running)
    : state_(std::move(running)) {}

discovery_responder::~discovery_responder() {
  state_->io.stop();
  state_->thread.join();
}

result<std::unique_ptr<discovery_responder>>
discovery_responder::open(const discovery_options& options, const head_announcement& head) {
  SHOAL_TRY(const auto where, parse(options));
  if (head.host.empty() || head.host.size() > 255 || head.version.size() > 255)
    return fail(errc::invalid_argument,
                "expected a host and a version of 1 to 255 bytes, got {} and {}", head.host.size(),
                head.version.size());
  auto running = std::make_unique<state>();
  SHOAL_CHECK(open_to_answer(running->socket, where));
  SHOAL_CHECK(open_to_ask(running->answers, where));
  auto& answers = running->answers;
  running->reader = std::make_unique<datagram_reader>(
      running->socket, [&answers, head, cluster = options.cluster](const discovery_datagram& query,
                                                                   const udp::endpoint& asker) {
        if (query.head || query.cluster != cluster) return;
        std::error_code ignored; // the asker repeats its question
        send(answers, {query.nonce, cluster, link_protocol_version, head}, asker, ignored);
      });
  running->thread = std::thread([&io = running->io] { io.run(); });
  return std::unique_ptr<discovery_responder>(new discovery_responder(std::move(running)));
}

result<std::vector<head_announcement>> discover(const discovery_options& options,
                                                std::chrono::milliseconds timeout,
                                                std::size_t enough,
                                                std::chrono::milliseconds retry) {
  constexpr std::size_t most = 1024; // whatever answers
  SHOAL_TRY(const auto where, parse(options));
  asio::io_context io(1);
  udp::socket socket(io);
  SHOAL_CHECK(open_to_ask(socket, where));
  const std::uint64_t nonce = incarnation::random().low;
  std::map<incarnation, head_announcement> found;
  datagram_reader reader(socket, [&](const discovery_datagram& answer, const udp::endpoint&) {
    if (!answer.head || answer.nonce != nonce || answer.cluster != options.cluster) return;
    if (found.size() < most) found.emplace(answer.head->id, *answer.head);
    if (found.size() >= enough) io.stop();
  });
  asio::steady_timer timer(io);
  std::error_code send_failure;
  bool sent = false;
  const std::function<void()> ask = [&] {
    send(socket, {nonce, options.cluster, link_protocol_version, {}}, where.group, send_failure);
    sent = sent || !send_failure;
    timer.expires_after(std::max(retry, std::chrono::milliseconds(10)));
    timer.async_wait([&](const std::error_code& failure) {
      if (!failure) ask();
    });
  };
  ask();
  io.run_for(timeout);
  if (!sent)
    return fail(errc::io, "cannot send to {}:{}: {}", options.group, options.port,
                send_failure.message());
  std::vector<head_announcement> heads;
  for (auto& [id, head] : found) heads.push_back(std::move(head));
  return heads;
}

} // namespace shoal
