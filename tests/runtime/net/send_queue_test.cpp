#include "runtime/net/send_queue.hpp"
#include "tests/runtime/net/link_fixture.hpp"

#include <algorithm>

using namespace shoal;
using namespace shoal::test;

namespace {

/// A queue, and the headers of what it sends, batch by batch.
struct observed_queue {
  send_queue queue{{}, 65536};
  std::vector<frame_header> frames;
  std::vector<std::uint16_t> completed;
  std::vector<errc> failed;

  explicit observed_queue(receive_limits peer = {}) { queue.start(peer); }

  void push(std::uint16_t kind, message_priority priority, std::size_t bytes) {
    auto prepared = prepare(numbered(kind, priority, bytes), {}, buffer_pool::shared());
    REQUIRE(prepared);
    (*prepared)->done = [this, kind](result<void> outcome) {
      if (outcome)
        completed.push_back(kind);
      else
        failed.push_back(outcome.error().code());
    };
    queue.push(std::move(*prepared));
  }

  /// Sends one batch; false if there was nothing.
  bool send_batch() {
    write_batch batch;
    queue.fill(batch);
    if (batch.empty()) return false;
    std::vector<std::byte> wire;
    while (!batch.empty()) {
      const auto first = batch.remaining().front();
      wire.insert(wire.end(), first.begin(), first.end());
      batch.advance(first.size());
    }
    queue.written(batch);
    for (byte_span rest = wire; !rest.empty();) {
      const auto header = decode_frame_header(rest.first(frame_header_bytes));
      REQUIRE(header);
      frames.push_back(*header);
      rest = rest.subspan(frame_header_bytes + header->payload_bytes);
    }
    return true;
  }
  void send_all() {
    while (send_batch()) {
    }
  }
};

} // namespace

TEST_CASE("messages complete by priority, and short ones before a long one of their own") {
  observed_queue seen;
  seen.push(1, message_priority::bulk, 8 << 20);
  CHECK(seen.send_batch());
  seen.push(2, message_priority::bulk, 100'000);
  seen.push(3, message_priority::interactive, 100'000);
  seen.push(4, message_priority::control, 10);
  seen.send_all();
  CHECK(seen.completed == std::vector<std::uint16_t>{4, 3, 2, 1});
}

TEST_CASE("equally long messages of one priority keep their order, one at a time") {
  observed_queue seen;
  for (std::uint16_t i = 0; i < 6; ++i) seen.push(i, message_priority::bulk, 300'000);
  seen.send_all();
  CHECK(seen.completed == std::vector<std::uint16_t>{0, 1, 2, 3, 4, 5});
  CHECK(std::is_sorted(seen.frames.begin(), seen.frames.end(),
                       [](const auto& a, const auto& b) { return a.stream < b.stream; }));
}

TEST_CASE("bulk is slowed by a flood of higher priority, but not starved") {
  observed_queue seen;
  seen.push(1, message_priority::bulk, 200'000);
  for (int i = 0; i < 400; ++i) seen.push(2, message_priority::control, 10);
  seen.send_all();
  const auto bulk = std::find(seen.completed.begin(), seen.completed.end(), 1);
  CHECK(bulk - seen.completed.begin() > 32);
  CHECK(bulk - seen.completed.begin() < 300);
}

TEST_CASE("without credit nothing but frames without a body leaves") {
  receive_limits peer;
  peer.window_bytes = 200'000;
  observed_queue seen(peer);
  seen.push(1, message_priority::bulk, 500'000);
  seen.send_all();
  std::uint64_t body = 0;
  for (const auto& header : seen.frames) body += header.body_bytes;
  CHECK(body <= 200'000);
  CHECK(body > 100'000);
  CHECK(seen.completed.empty());
  seen.push(2, message_priority::control, 0);
  seen.send_all();
  CHECK(seen.completed == std::vector<std::uint16_t>{2});
  seen.queue.add_credit(body);
  seen.queue.add_credit(500'000);
  seen.send_all();
  CHECK(seen.completed == std::vector<std::uint16_t>{2, 1});
}

TEST_CASE("no more messages are begun than the peer admits at once") {
  receive_limits peer;
  peer.max_message_bytes = 1'000'000;
  peer.max_partial_bytes = 1'000'000;
  observed_queue seen(peer);
  seen.push(1, message_priority::bulk, 900'000);
  CHECK(seen.send_batch());
  seen.push(2, message_priority::interactive, 200'000); // must wait for the memory, not for ever
  seen.send_all();
  CHECK(seen.completed == std::vector<std::uint16_t>{1, 2});
}

TEST_CASE("a message that the peer drops is aborted and fails, and the others go on") {
  observed_queue seen;
  seen.push(1, message_priority::bulk, 4 << 20);
  CHECK(seen.send_batch());
  const auto stream = seen.frames.front().stream;
  seen.push(2, message_priority::bulk, 5 << 20);
  CHECK(seen.queue.drop(stream, error(errc::resource_exhausted, "no memory")));
  CHECK_FALSE(seen.queue.drop(stream, error(errc::resource_exhausted, "no memory")));
  seen.send_all();
  CHECK(seen.failed == std::vector<errc>{errc::resource_exhausted});
  CHECK(seen.completed == std::vector<std::uint16_t>{2});
  CHECK(std::count_if(seen.frames.begin(), seen.frames.end(), [&](const auto& header) {
          return header.type == frame_type::abort && header.stream == stream;
        }) == 1);
}

TEST_CASE("when all fails, every message completes once") {
  observed_queue seen;
  for (std::uint16_t i = 0; i < 5; ++i) seen.push(i, message_priority::bulk, 1 << 20);
  CHECK(seen.send_batch());
  seen.queue.fail_all(nullptr, error(errc::unavailable, "gone"));
  CHECK(seen.completed.size() + seen.failed.size() == 5);
  seen.send_all();
  CHECK(seen.completed.size() + seen.failed.size() == 5);
}

TEST_CASE("what the peer asked for goes out before messages") {
  observed_queue seen;
  seen.push(1, message_priority::control, 10);
  seen.queue.grant(5);
  seen.queue.grant(6);
  seen.queue.ping();
  seen.queue.pong();
  CHECK(seen.queue.reject(9, {errc::malformed, 4, "why"}));
  seen.send_all();
  REQUIRE(seen.frames.size() == 5);
  CHECK(seen.frames[0].type == frame_type::credit);
  CHECK(seen.frames[0].offset == 11);
  CHECK(seen.frames[1].type == frame_type::ping);
  CHECK(seen.frames[2].type == frame_type::pong);
  CHECK(seen.frames[3].type == frame_type::reject);
  CHECK(seen.frames[4].type == frame_type::open);
}
