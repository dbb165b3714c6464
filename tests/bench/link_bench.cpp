// Measures the tensor link against a bare Asio stream and against CAF messages on loopback, between
// two processes: bulk transfer of messages of several sizes, and the round trip of a small one.
// They take turns in every round, so that whatever else the machine does hits all; medians are
// printed. The bare stream sends and receives the same bytes, without checksums, from one buffer
// into one buffer.
//
//   link_bench [--json] [--rounds N]

#include "runtime/net/tcp_link.hpp"
#include "tests/bench/caf_wire.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>
#include <asio/write.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

using namespace shoal;

namespace {

using asio::ip::tcp;
using clock_type = std::chrono::steady_clock;

constexpr std::size_t kib = 1024;
constexpr std::array<std::size_t, 6> sizes = {64 * kib,   256 * kib,   1024 * kib,
                                              4096 * kib, 16384 * kib, 65536 * kib};
constexpr std::size_t bytes_per_turn = 256 * 1024 * kib;
constexpr std::size_t caf_bytes_per_turn = 128 * 1024 * kib; // it is slower
constexpr std::uint64_t pings_per_turn = 4000;
constexpr std::size_t ping_bytes = 64;

/// What the measured process asks of the other one over the bare stream.
struct order {
  std::uint64_t bytes = 0; ///< of one message; 0: a ping-pong
  std::uint64_t count = 0;
};

enum kind : std::uint16_t { bulk_kind = 1, last_bulk_kind, done_kind, ping_kind, pong_kind };

template <class Work>
double seconds_of(Work&& work) {
  const auto start = clock_type::now();
  work();
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

/// One side of a bare ping-pong, asynchronous as the link is.
class bare_pinger {
 public:
  bare_pinger(asio::io_context& io, tcp::socket& socket, std::uint64_t rounds, bool client)
      : socket_(socket), left_(rounds), client_(client) {
    client ? write() : read();
    io.restart();
    io.run();
  }

 private:
  void write() {
    asio::async_write(socket_, asio::buffer(data_), [this](const std::error_code& failure, auto) {
      if (failure) std::exit(1);
      if (client_ || --left_ > 0) read();
    });
  }
  void read() {
    asio::async_read(socket_, asio::buffer(data_), [this](const std::error_code& failure, auto) {
      if (failure) std::exit(1);
      if (!client_ || --left_ > 0) write();
    });
  }

  tcp::socket& socket_;
  std::uint64_t left_;
  bool client_;
  std::array<std::byte, ping_bytes> data_{};
};

// --- the other process: takes in what is sent, answers pings ---

void serve_bare(asio::io_context& io, tcp::acceptor& acceptor) {
  auto socket = acceptor.accept();
  socket.set_option(tcp::no_delay(true));
  std::vector<std::byte> buffer(sizes.back());
  for (;;) {
    order next;
    std::error_code failure;
    asio::read(socket, asio::buffer(&next, sizeof next), failure);
    if (failure) return;
    if (next.bytes == 0) {
      bare_pinger(io, socket, next.count, false);
      continue;
    }
    for (std::uint64_t i = 0; i < next.count; ++i)
      asio::read(socket, asio::buffer(buffer.data(), next.bytes));
    asio::write(socket, asio::buffer("d", 1));
  }
}

/// Where the other process is to be found: id of its link (2), then the ports of link, bare stream
/// and actors.
using hello_message = std::array<std::uint64_t, 5>;

void serve(int out) {
  tcp_link* self = nullptr;
  link_handlers handlers;
  handlers.on_message = [&self](const incarnation& from, message&& content) {
    if (content.kind == bulk_kind) return;
    content.kind = content.kind == ping_kind ? pong_kind : done_kind;
    if (content.kind == done_kind) content.tensors.clear();
    self->send({from, "", 0}, std::move(content), {});
  };
  auto link = tcp_link::open({}, handlers);
  if (!link) std::exit(1);
  self = link->get();
  asio::io_context io(1);
  tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  const auto id = self->address().id;
  bench::caf_wire actors;
  const hello_message hello = {id.high, id.low, self->address().port,
                               acceptor.local_endpoint().port(), actors.serve()};
  if (write(out, hello.data(), sizeof hello) != sizeof hello) std::exit(1);
  serve_bare(io, acceptor);
}

// --- the measured process ---

class contest {
 public:
  explicit contest(const hello_message& server)
      : peer_{{server[0], server[1]}, "127.0.0.1", static_cast<std::uint16_t>(server[2])},
        socket_(io_) {
    link_handlers handlers;
    handlers.on_message = [this](const incarnation&, message&& content) {
      on_reply(std::move(content));
    };
    auto opened = tcp_link::open({}, handlers);
    if (!opened) std::exit(1);
    link_ = std::move(*opened);
    socket_.connect({asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(server[3])});
    socket_.set_option(tcp::no_delay(true));
    actors_.connect(static_cast<std::uint16_t>(server[4]));
    source_ = tensor({dtype::u8, {static_cast<std::int64_t>(sizes.back())}},
                     allocate_storage(sizes.back()));
    std::memset(source_.mutable_data(), 0x5a, source_.byte_size());
  }

  /// Seconds for `count` messages of `bytes`, until all have been taken in.
  double bulk_by_link(std::size_t bytes, std::uint64_t count) {
    const tensor part({dtype::u8, {static_cast<std::int64_t>(bytes)}}, source_.bytes_owner());
    return seconds_of([&] {
      for (std::uint64_t i = 1; i <= count; ++i)
        link_->send(peer_,
                    {i == count ? last_bulk_kind : bulk_kind, message_priority::bulk, {}, {part}},
                    [](result<void> outcome) {
                      if (!outcome) std::exit(1);
                    });
      wait();
    });
  }
  double bulk_bare(std::size_t bytes, std::uint64_t count) {
    return seconds_of([&] {
      const order next{bytes, count};
      asio::write(socket_, asio::buffer(&next, sizeof next));
      for (std::uint64_t i = 0; i < count; ++i)
        asio::write(socket_, asio::buffer(source_.data(), bytes));
      char done = 0;
      asio::read(socket_, asio::buffer(&done, 1));
    });
  }

  double bulk_by_actors(bench::caf_payload kind, std::size_t bytes, std::uint64_t count) {
    return actors_.send(kind, bytes, count);
  }

  double pings_by_link() {
    pings_left_ = pings_per_turn;
    const tensor part({dtype::u8, {ping_bytes}}, source_.bytes_owner());
    return seconds_of([&] {
      link_->send(peer_, {ping_kind, message_priority::interactive, {}, {part}}, {});
      wait();
    });
  }
  double pings_bare() {
    const order next{0, pings_per_turn};
    asio::write(socket_, asio::buffer(&next, sizeof next));
    return seconds_of([&] { bare_pinger(io_, socket_, pings_per_turn, true); });
  }

 private:
  void on_reply(message&& content) {
    if (content.kind == pong_kind && --pings_left_ > 0) {
      content.kind = ping_kind;
      return link_->send(peer_, std::move(content), {});
    }
    std::lock_guard lock(mutex_);
    done_ = true;
    changed_.notify_one();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return done_; });
    done_ = false;
  }

  peer_address peer_;
  asio::io_context io_{1};
  tcp::socket socket_;
  bench::caf_wire actors_;
  tensor source_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::uint64_t pings_left_ = 0;
  std::unique_ptr<tcp_link> link_;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Of one thing measured in each way, a value per round.
struct series {
  std::vector<double> link;
  std::vector<double> bare;
  std::vector<double> caf_floats; ///< bulk only
  std::vector<double> caf_text;   ///< bulk only

  static double ratio(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(a[i] / b[i]);
    return median(ratios);
  }
  double to_bare() const { return ratio(link, bare); }
};

void report(const std::map<std::size_t, series>& bulk, const series& pings, bool json) {
  if (json) {
    auto document = nlohmann::json::object();
    for (const auto& [bytes, values] : bulk)
      document["bulk"].push_back(
          {{"bytes", bytes},
           {"link_bytes_per_second", median(values.link)},
           {"bare_bytes_per_second", median(values.bare)},
           {"ratio", values.to_bare()},
           {"caf_floats_bytes_per_second", median(values.caf_floats)},
           {"ratio_to_caf_floats", series::ratio(values.link, values.caf_floats)},
           {"caf_text_bytes_per_second", median(values.caf_text)},
           {"ratio_to_caf_text", series::ratio(values.link, values.caf_text)}});
    document["round_trip"] = {{"bytes", ping_bytes},
                              {"link_seconds", median(pings.link)},
                              {"bare_seconds", median(pings.bare)},
                              {"ratio", pings.to_bare()}};
    fmt::print("{}\n", document.dump(2));
    return;
  }
  fmt::print("{:>12} {:>10} {:>10} {:>6} {:>11} {:>6} {:>11} {:>6}   (GB/s)\n", "message", "link",
             "bare", "ratio", "CAF floats", "ratio", "CAF string", "ratio");
  for (const auto& [bytes, values] : bulk)
    fmt::print("{:>8} KiB {:>10.2f} {:>10.2f} {:>6.2f} {:>11.2f} {:>6.2f} {:>11.2f} {:>6.2f}\n",
               bytes / kib, median(values.link) / 1e9, median(values.bare) / 1e9, values.to_bare(),
               median(values.caf_floats) / 1e9, series::ratio(values.link, values.caf_floats),
               median(values.caf_text) / 1e9, series::ratio(values.link, values.caf_text));
  fmt::print("round trip of {} bytes: link {:.1f} us, bare {:.1f} us, ratio {:.2f}\n", ping_bytes,
             median(pings.link) * 1e6, median(pings.bare) * 1e6, pings.to_bare());
}

void measure(contest& all, int rounds, bool json) {
  std::map<std::size_t, series> bulk;
  series pings;
  for (int round = -1; round < rounds; ++round) { // the first one warms up
    for (const auto bytes : sizes) {
      const std::uint64_t count = bytes_per_turn / bytes;
      const double total = static_cast<double>(bytes) * static_cast<double>(count);
      double bare = 0;
      if (round % 2 != 0) bare = all.bulk_bare(bytes, count);
      const double link = all.bulk_by_link(bytes, count);
      if (round % 2 == 0) bare = all.bulk_bare(bytes, count);
      const auto fewer = std::max<std::uint64_t>(2, caf_bytes_per_turn / bytes);
      const double floats = all.bulk_by_actors(bench::caf_payload::floats, bytes, fewer);
      const double text = all.bulk_by_actors(bench::caf_payload::text, bytes, fewer);
      if (round < 0) continue;
      const auto fewer_bytes = static_cast<double>(bytes * fewer);
      bulk[bytes].caf_floats.push_back(fewer_bytes / floats);
      bulk[bytes].caf_text.push_back(fewer_bytes / text);
      bulk[bytes].link.push_back(total / link);
      bulk[bytes].bare.push_back(total / bare);
    }
    const double link = all.pings_by_link() / pings_per_turn;
    const double bare = all.pings_bare() / pings_per_turn;
    if (round < 0) continue;
    pings.link.push_back(link);
    pings.bare.push_back(bare);
  }
  report(bulk, pings, json);
}

} // namespace

int main(int argc, char** argv) {
  bool json = false;
  int rounds = 9;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json")
      json = true;
    else if (argument == "--rounds" && i + 1 < argc)
      rounds = std::max(1, std::atoi(argv[++i]));
    else {
      fmt::print(stderr, "usage: link_bench [--json] [--rounds N]\n");
      return 2;
    }
  }
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return 1;
  const auto child = fork(); // before either side has threads
  if (child < 0) return 1;
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  hello_message server{};
  if (read(ends[0], server.data(), sizeof server) != sizeof server) return 1;
  contest all(server);
  measure(all, rounds, json);
  kill(child, SIGKILL);
  return 0;
}
