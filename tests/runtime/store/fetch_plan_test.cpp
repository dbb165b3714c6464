#include "runtime/base/sha256.hpp"
#include "runtime/store/fetch_plan.hpp"
#include "runtime/store/weight_manifest.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <random>
#include <set>

using namespace shoal;
using namespace std::chrono_literals;

namespace {

using time_point = fetch_plan::time_point;
using verdict = fetch_plan::verdict;

constexpr time_point start{};
const incarnation alice{0, 1};
const incarnation bob{0, 2};

struct content {
  std::vector<std::string> texts;
  std::vector<wanted_chunk> wanted;

  explicit content(int count) {
    for (int i = 0; i < count; ++i) {
      texts.push_back(fmt::format("the content of chunk {}", i));
      wanted.push_back({sha256(bytes_of(texts.back())), texts.back().size()});
    }
  }
  byte_span of(const digest& name) const {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i].name == name) return bytes_of(texts[i]);
    return {};
  }
};

bool nothing(const wanted_chunk&) {
  return false;
}

} // namespace

TEST_CASE("a plan asks each chunk once, within the limit per peer, and ends") {
  const content all(10);
  fetch_plan plan(all.wanted, nothing);
  plan.add_peer(alice);
  plan.add_peer(bob);
  std::set<digest> asked;
  std::vector<fetch_plan::request> open = plan.next_requests(start);
  CHECK(open.size() == 8);
  while (!open.empty()) {
    const auto next = open.back();
    open.pop_back();
    CHECK(asked.insert(next.chunk).second);
    CHECK(plan.on_chunk(next.peer, next.chunk, all.of(next.chunk), start) == verdict::accepted);
    for (const auto& r : plan.next_requests(start)) open.push_back(r);
    CHECK(open.size() <= 8);
  }
  CHECK(asked.size() == 10);
  CHECK(plan.done());
  CHECK_FALSE(plan.failed());
  CHECK_FALSE(plan.next_event(start));
  CHECK(plan.progress().chunks_done == 10);
  CHECK(plan.progress().bytes_done == plan.progress().bytes_total);
}

TEST_CASE("what is present, or wanted twice, is not asked for again") {
  content all(4);
  all.wanted.push_back(all.wanted[0]);
  fetch_plan plan(all.wanted, [&](const wanted_chunk& c) { return c == all.wanted[1]; });
  plan.add_peer(alice);
  CHECK(plan.progress().chunks_total == 4);
  CHECK(plan.progress().chunks_done == 1);
  const auto requests = plan.next_requests(start);
  CHECK(requests.size() == 3);
  for (const auto& r : requests) CHECK(r.chunk != all.wanted[1].name);
  CHECK(fetch_plan(all.wanted, [](const auto&) { return true; }).done());
}

TEST_CASE("a request without an answer goes to another peer, and a late answer still counts") {
  const content one(1);
  const auto name = one.wanted[0].name;
  fetch_plan plan(one.wanted, nothing);
  plan.add_peer(alice);
  plan.add_peer(bob);
  const auto first = plan.next_requests(start);
  REQUIRE(first.size() == 1);
  CHECK(first[0].peer == alice);
  CHECK(*plan.next_event(start) == start + 15s);
  plan.tick(start + 15s - 1ms);
  CHECK(plan.next_requests(start + 15s - 1ms).empty());
  plan.tick(start + 15s);
  CHECK(plan.next_requests(start + 15s).empty()); // waits a little first
  CHECK(*plan.next_event(start + 15s) == start + 15s + 100ms);
  const auto second = plan.next_requests(start + 15s + 100ms);
  REQUIRE(second.size() == 1);
  CHECK(second[0].peer == bob);
  CHECK(plan.on_chunk(alice, name, one.of(name), start + 16s) == verdict::accepted);
  CHECK(plan.done());
  CHECK(plan.on_chunk(bob, name, one.of(name), start + 17s) == verdict::duplicate);
}

TEST_CASE("wrong content is refused and its sender is asked for nothing after the second time") {
  const content three(3);
  fetch_options options;
  options.max_in_flight_per_peer = 1;
  fetch_plan plan(three.wanted, nothing, options);
  plan.add_peer(alice);
  plan.add_peer(bob);
  auto now = start;
  int corrupt = 0;
  while (!plan.done() && !plan.failed()) {
    for (const auto& r : plan.next_requests(now)) {
      if (r.peer == bob) {
        CHECK(plan.on_chunk(bob, r.chunk, three.of(r.chunk), now) == verdict::accepted);
        continue;
      }
      ++corrupt;
      CHECK(plan.on_chunk(alice, r.chunk, bytes_of("something else"), now) == verdict::corrupt);
    }
    now += 1s;
  }
  CHECK(plan.done());
  CHECK(corrupt >= 1);
  CHECK(corrupt <= 2);
}

TEST_CASE("when the only peer sends wrong content the plan ends without a third attempt") {
  const content one(1);
  fetch_plan plan(one.wanted, nothing);
  plan.add_peer(alice);
  for (int i = 0; i < 2; ++i) {
    REQUIRE(plan.next_requests(start + i * 1s).size() == 1);
    plan.on_chunk(alice, one.wanted[0].name, bytes_of("something else"), start + i * 1s);
  }
  REQUIRE(plan.failed());
  CHECK(plan.failed()->code() == errc::unavailable);
}

TEST_CASE("a chunk that fails three times ends the plan with the last reason") {
  const content one(1);
  fetch_plan plan(one.wanted, nothing);
  plan.add_peer(alice);
  auto now = start;
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(plan.failed());
    const auto r = plan.next_requests(now);
    REQUIRE(r.size() == 1);
    plan.on_failed(alice, r[0].chunk, error(errc::io, "the disk is on fire"), now);
    now += 1s;
  }
  REQUIRE(plan.failed());
  CHECK(plan.failed()->code() == errc::io);
  CHECK(plan.failed()->message().find("the disk is on fire") != std::string::npos);
  CHECK(plan.next_requests(now).empty());
}

TEST_CASE("a peer that lacks a chunk costs no try; when all lack it the plan ends") {
  const content one(1);
  fetch_options options;
  options.max_tries = 1;
  fetch_plan plan(one.wanted, nothing, options);
  for (std::uint64_t i = 1; i <= 5; ++i) plan.add_peer({0, i});
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(plan.failed());
    const auto r = plan.next_requests(start);
    REQUIRE(r.size() == 1);
    plan.on_failed(r[0].peer, r[0].chunk, error(errc::not_found, "not here"), start);
  }
  REQUIRE(plan.failed());
  CHECK(plan.failed()->code() == errc::not_found);
}

TEST_CASE("a lost peer's requests go to the others at once; without peers the plan ends") {
  const content two(2);
  fetch_plan plan(two.wanted, nothing);
  plan.add_peer(alice);
  CHECK(plan.next_requests(start).size() == 2);
  plan.add_peer(bob);
  plan.on_peer_lost(alice);
  CHECK_FALSE(plan.failed());
  const auto again = plan.next_requests(start);
  REQUIRE(again.size() == 2);
  CHECK(again[0].peer == bob);
  plan.on_peer_lost(bob);
  REQUIRE(plan.failed());
  CHECK(plan.failed()->code() == errc::unavailable);
  CHECK(plan.failed()->message() == "no peer is left to fetch the 2 missing chunks from");
}

TEST_CASE("answers nobody asked for do no harm") {
  const content two(2);
  fetch_plan plan(two.wanted, nothing);
  plan.add_peer(alice);
  CHECK(plan.on_chunk(bob, two.wanted[0].name, two.of(two.wanted[0].name), start) ==
        verdict::unwanted);
  CHECK(plan.on_chunk(alice, sha256({}), {}, start) == verdict::unwanted);
  plan.on_failed(alice, two.wanted[0].name, error(errc::io, "x"), start);
  plan.on_failed(bob, sha256({}), error(errc::io, "x"), start);
  plan.on_peer_lost(bob);
  CHECK_FALSE(plan.failed());
  CHECK(plan.next_requests(start).size() == 2);
}

TEST_CASE("the chunks of a manifest are wanted with their sizes") {
  const auto weight = *tensor::allocate({dtype::u8, {chunk_bytes + 3}});
  std::vector<wanted_chunk> wanted;
  append_chunks(describe_weight("w", weight), wanted);
  REQUIRE(wanted.size() == 2);
  CHECK(wanted[0].bytes == chunk_bytes);
  CHECK(wanted[1].bytes == 3);
}

namespace {

/// Peers that lose, corrupt, delay and refuse; some die, some come back.
struct faulty_world {
  explicit faulty_world(std::uint64_t seed) : random(seed) {}

  bool chance(int percent) { return static_cast<int>(random() % 100) < percent; }

  /// Runs a plan to its end; false if it does not end in a bounded number of steps.
  bool run(fetch_plan& plan, const content& all, const std::set<digest>& present, int trouble) {
    struct answer {
      incarnation peer;
      digest chunk;
    };
    std::multimap<time_point, answer> answers;
    std::map<digest, int> asked;
    time_point now = start;
    for (int step = 0; step < 20'000; ++step) {
      plan.tick(now);
      for (const auto& r : plan.next_requests(now)) {
        CHECK_FALSE(present.contains(r.chunk));
        CHECK_FALSE(stored.contains(r.chunk));
        CHECK_FALSE(dead.contains(r.peer));
        if (!chance(trouble)) // else it is lost
          answers.emplace(now + std::chrono::milliseconds(random() % 20'000),
                          answer{r.peer, r.chunk});
      }
      if (plan.done() || plan.failed()) return true;
      auto next = plan.next_event(now);
      REQUIRE(next);
      if (!answers.empty()) next = std::min(*next, answers.begin()->first);
      now = *next;
      while (!answers.empty() && answers.begin()->first <= now) {
        const auto [peer, chunk] = answers.begin()->second;
        answers.erase(answers.begin());
        if (dead.contains(peer)) continue;
        deliver(plan, all, peer, chunk, now, trouble);
      }
    }
    return false;
  }

  void deliver(fetch_plan& plan, const content& all, const incarnation& peer, const digest& chunk,
               time_point now, int trouble) {
    if (chance(trouble / 4)) {
      plan.on_chunk(peer, chunk, bytes_of("corrupt"), now);
    } else if (chance(trouble / 4)) {
      plan.on_failed(peer, chunk, error(chance(50) ? errc::not_found : errc::unavailable, "no"),
                     now);
    } else if (chance(trouble / 8)) {
      dead.insert(peer);
      plan.on_peer_lost(peer);
    } else {
      const auto answer = plan.on_chunk(peer, chunk, all.of(chunk), now);
      CHECK((answer == verdict::accepted) == stored.insert(chunk).second);
    }
    if (!dead.empty() && chance(trouble / 8)) {
      plan.add_peer(*dead.begin());
      dead.erase(dead.begin());
    }
  }

  std::mt19937_64 random;
  std::set<digest> stored;
  std::set<incarnation> dead;
};

} // namespace

TEST_CASE("whatever is lost, corrupt or dead, a plan ends, done or with a typed error") {
  int ended_well = 0;
  int ended_badly = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    faulty_world world(seed);
    const content all(static_cast<int>(1 + world.random() % 40));
    std::set<digest> present;
    for (const auto& chunk : all.wanted)
      if (world.chance(20)) present.insert(chunk.name);
    fetch_plan plan(all.wanted, [&](const auto& chunk) { return present.contains(chunk.name); });
    const auto peers = 1 + world.random() % 5;
    for (std::uint64_t i = 1; i <= peers; ++i) plan.add_peer({0, i});
    REQUIRE(world.run(plan, all, present, static_cast<int>(seed % 60)));
    if (plan.done()) {
      ++ended_well;
      CHECK(world.stored.size() + present.size() == all.wanted.size());
    } else {
      ++ended_badly;
      CHECK_FALSE(plan.failed()->message().empty());
    }
    CHECK(plan.progress().chunks_done == world.stored.size() + present.size());
  }
  CHECK(ended_well > 20);
  CHECK(ended_badly > 20);
}
