#include "runtime/net/memory_link.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <utility>

namespace shoal {
namespace {

/// splitmix64: the same numbers from the same seed on every platform.
class random_source {
 public:
  explicit random_source(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  bool chance(double probability) {
    return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
  }
  /// Evenly from [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    if (high <= low) return low;
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::uint64_t state_;
};

constexpr std::chrono::milliseconds connect_failure_delay{1};

using pair_key = std::pair<incarnation, incarnation>;

pair_key unordered(const incarnation& a, const incarnation& b) {
  return std::minmax(a, b);
}

} // namespace

class memory_network::state {
 public:
  struct member {
    link_handlers handlers;
    std::size_t max_queued;
    std::size_t queued;
    link_counters counters;
    std::map<incarnation, link_counters> by_peer;
  };
  struct pending {
    event what;
    message content;
    send_completion done;
    result<void> outcome;
  };
  /// Events of the same time happen in the order in which they were made.
  using due = std::pair<time, std::uint64_t>;

  state(std::uint64_t seed, const network_faults& initial) : random(seed), faults(initial) {}

  bool reachable(const incarnation& a, const incarnation& b) const {
    return members.contains(a) && members.contains(b) && !cuts.contains(unordered(a, b));
  }

  void add(time at, pending&& entry) {
    entry.what.at = at;
    events.emplace(due{at, ++last_number}, std::move(entry));
  }

  void send(const incarnation& from, const incarnation& to, message&& content,
            send_completion&& done) {
    const auto sender = members.find(from);
    if (sender == members.end()) return complete(done, fail(errc::cancelled, "the link is closed"));
    if (auto sound = validate(content); !sound) return complete(done, std::move(sound));
    if (sender->second.queued >= sender->second.max_queued)
      return complete(
          done, fail(errc::resource_exhausted, "{} messages wait already", sender->second.queued));
    ++sender->second.queued;
    const auto kind = content.kind;
    if (!reachable(from, to)) {
      add(now + connect_failure_delay,
          {{{}, event_kind::completed, from, to, kind},
           {},
           std::move(done),
           fail(errc::unavailable, "{} cannot be reached", to_string(to))});
      return;
    }
    connected.insert(unordered(from, to));
    add(now, {{{}, event_kind::completed, from, to, kind}, {}, std::move(done), {}});
    transmit(from, to, std::move(content));
  }

  void transmit(const incarnation& from, const incarnation& to, message&& content) {
    const auto kind = content.kind;
    if (from == to) {
      add(now, {{{}, event_kind::delivered, from, to, kind}, std::move(content), {}, {}});
      return;
    }
    if (random.chance(faults.drop)) {
      add(now, {{{}, event_kind::dropped, from, to, kind}, {}, {}, {}});
      return;
    }
    const int copies = random.chance(faults.duplicate) ? 2 : 1;
    for (int i = 0; i < copies; ++i) {
      auto at = now + time(random.between(faults.min_delay.count(), faults.max_delay.count()));
      auto& last = last_arrival[{from, to}];
      if (!random.chance(faults.reorder)) last = at = std::max(at, last);
      add(at, {{{}, event_kind::delivered, from, to, kind}, content, {}, {}});
    }
  }

  static void complete(const send_completion& done, result<void> outcome) {
    if (done) done(std::move(outcome));
  }

  bool deliver_next() {
    if (events.empty()) return false;
    auto entry = std::move(events.extract(events.begin()).mapped());
    now = std::max(now, entry.what.at);
    entry.what.at = now;
    if (trace) trace(entry.what);
    happen(entry);
    return true;
  }

  void happen(pending& entry) {
    const auto& [at, kind, from, to, message_kind] = entry.what;
    switch (kind) {
    case event_kind::dropped:
      return;
    case event_kind::completed: {
      if (const auto sender = members.find(from); sender != members.end()) {
        --sender->second.queued;
        if (entry.outcome) count(sender->second, to, {.messages_sent = 1});
      }
      return complete(entry.done, std::move(entry.outcome));
    }
    case event_kind::delivered: {
      const auto receiver = members.find(to);
      if (receiver == members.end()) return;
      count(receiver->second, from,
            {.bytes_received = payload_bytes(entry.content), .messages_received = 1});
      const auto handler = receiver->second.handlers.on_message; // it may close its own link
      if (handler) handler(from, std::move(entry.content));
      return;
    }
    case event_kind::peer_down: {
      const auto receiver = members.find(to);
      if (receiver == members.end()) return;
      const auto handler = receiver->second.handlers.on_peer_down;
      if (handler) handler(from, fail(errc::unavailable, "connection to {} lost", to_string(from)));
      return;
    }
    }
  }

  static void count(member& whose, const incarnation& peer, const link_counters& more) {
    whose.counters += more;
    whose.by_peer[peer] += more;
  }

  // What is under way between the two is lost, and those still there are told.
  void disconnect(const incarnation& a, const incarnation& b) {
    for (auto& [when, entry] : events) {
      auto& what = entry.what;
      if (what.kind != event_kind::delivered || unordered(what.from, what.to) != unordered(a, b))
        continue;
      what.kind = event_kind::dropped;
      entry.content = {};
    }
    last_arrival.erase({a, b});
    last_arrival.erase({b, a});
    if (connected.erase(unordered(a, b)) == 0) return;
    add(now, {{{}, event_kind::peer_down, a, b, 0}, {}, {}, {}});
    add(now, {{{}, event_kind::peer_down, b, a, 0}, {}, {}, {}});
  }

  void remove(const incarnation& id) {
    if (members.erase(id) == 0) return;
    for (auto& [when, entry] : events) // its own sends end now, the others' go on
      if (entry.what.kind == event_kind::completed && entry.what.from == id)
        entry.outcome = fail(errc::cancelled, "the link is closed");
    const auto pairs = connected;
    for (const auto& [a, b] : pairs)
      if (a == id || b == id) disconnect(a, b);
  }

  random_source random;
  network_faults faults;
  time now{0};
  std::map<incarnation, member> members;
  std::map<due, pending> events;
  std::uint64_t last_number = 0;
  std::set<pair_key> cuts;
  std::set<pair_key> connected;
  std::map<pair_key, time> last_arrival; // of those that keep their order; by sender, receiver
  std::function<void(const event&)> trace;
};

class memory_network::link final : public data_link {
 public:
  link(const incarnation& id, std::shared_ptr<state> network)
      : id_(id), network_(std::move(network)) {}
  ~link() override { close(); }

  peer_address address() const override { return {id_, "memory", 0}; }
  void send(const peer_address& peer, message content, send_completion done) override {
    network_->send(id_, peer.id, std::move(content), std::move(done));
  }
  link_stats stats() const override {
    link_stats all;
    const auto self = network_->members.find(id_);
    if (self == network_->members.end()) return all;
    all.total = self->second.counters;
    for (const auto& [peer, counters] : self->second.by_peer)
      all.peers.push_back(
          {peer, network_->connected.contains(unordered(id_, peer)), counters, 0, 0});
    return all;
  }
  void close() override { network_->remove(id_); }

 private:
  incarnation id_;
  std::shared_ptr<state> network_;
};

memory_network::memory_network(std::uint64_t seed, network_faults faults)
    : state_(std::make_shared<state>(seed, faults)) {}

memory_network::~memory_network() {
  state_->members.clear();
  state_->events.clear();
}

std::unique_ptr<data_link> memory_network::join(const incarnation& id, link_handlers handlers,
                                                std::size_t max_queued_messages) {
  [[maybe_unused]] const bool added =
      state_->members
          .emplace(id, state::member{std::move(handlers), max_queued_messages, 0, {}, {}})
          .second;
  assert(added);
  return std::make_unique<link>(id, state_);
}

bool memory_network::deliver_next() {
  return state_->deliver_next();
}

std::size_t memory_network::deliver_until(time until) {
  std::size_t count = 0;
  while (!state_->events.empty() && state_->events.begin()->first.first <= until) {
    state_->deliver_next();
    ++count;
  }
  state_->now = std::max(state_->now, until);
  return count;
}

std::optional<memory_network::time> memory_network::next_event() const {
  if (state_->events.empty()) return std::nullopt;
  return std::max(state_->now, state_->events.begin()->first.first);
}

memory_network::time memory_network::now() const {
  return state_->now;
}
void memory_network::set_faults(const network_faults& faults) {
  state_->faults = faults;
}
void memory_network::kill(const incarnation& id) {
  state_->remove(id);
}

void memory_network::cut(const incarnation& a, const incarnation& b) {
  state_->cuts.insert(unordered(a, b));
  state_->disconnect(a, b);
}

void memory_network::heal(const incarnation& a, const incarnation& b) {
  state_->cuts.erase(unordered(a, b));
}

void memory_network::on_event(std::function<void(const event&)> trace) {
  state_->trace = std::move(trace);
}

} // namespace shoal
