#include "runtime/net/crc32c.hpp"
#include "runtime/net/frame_receiver.hpp"
#include "runtime/net/send_queue.hpp"
#include "tests/runtime/net/link_fixture.hpp"

#include <algorithm>
#include <cstring>

using namespace shoal;
using namespace shoal::test;

namespace {

struct recorder final : frame_events {
  std::vector<message> messages;
  std::uint64_t granted = 0;
  std::vector<std::uint32_t> refused;
  std::uint64_t credit = 0;
  int pings = 0;

  void on_message(message&& content) override { messages.push_back(std::move(content)); }
  void on_grant(std::uint64_t bytes) override { granted += bytes; }
  void on_refused(std::uint32_t stream, std::uint16_t, const error&) override {
    refused.push_back(stream);
  }
  void on_credit(std::uint64_t bytes) override { credit += bytes; }
  void on_rejected(std::uint32_t, std::uint16_t, const error&) override {}
  void on_ping() override { ++pings; }
};

storage_ptr from_pool(std::size_t size) {
  return buffer_pool::shared().take(size);
}

/// Feeds bytes in pieces of at most `most`.
result<void> feed(frame_receiver& receiver, byte_span bytes, std::size_t most = SIZE_MAX) {
  while (!bytes.empty()) {
    std::size_t count = 0;
    for (const auto& room : receiver.buffers()) {
      const auto size = std::min({room.size(), bytes.size() - count, most - count});
      if (size > 0) std::memcpy(room.data(), bytes.data() + count, size);
      count += size;
    }
    bytes = bytes.subspan(count);
    SHOAL_CHECK(receiver.commit(count));
  }
  return {};
}

/// All that a queue sends, as one string of bytes.
std::vector<std::byte> drain(send_queue& queue) {
  std::vector<std::byte> wire;
  write_batch batch;
  for (;;) {
    queue.fill(batch);
    if (batch.empty()) return wire;
    while (!batch.empty()) {
      const auto first = batch.remaining().front();
      wire.insert(wire.end(), first.begin(), first.end());
      batch.advance(first.size());
    }
    queue.written(batch);
  }
}

void push(send_queue& queue, const message& content, const link_codec& codec = {}) {
  auto prepared = prepare(content, codec, buffer_pool::shared());
  REQUIRE(prepared);
  queue.push(std::move(*prepared));
}

receive_limits wide() {
  receive_limits limits;
  limits.window_bytes = std::uint64_t{1} << 40;
  return limits;
}

std::vector<std::byte> frame(frame_header header, byte_span payload = {}) {
  header.payload_bytes = static_cast<std::uint32_t>(payload.size());
  header.payload_crc = crc32c(payload);
  std::vector<std::byte> bytes(frame_header_bytes);
  encode(header, bytes.data());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

/// The open frame of a message with one u8 tensor.
std::vector<std::byte> open_one(std::uint32_t stream, std::int64_t bytes) {
  open_frame opened;
  opened.tensors.push_back({{dtype::u8, {bytes}}, tensor_encoding::plain});
  opened.body_bytes = static_cast<std::uint64_t>(bytes);
  std::vector<std::byte> payload(encoded_bytes(opened));
  encode(opened, payload);
  return frame({.type = frame_type::open, .stream = stream}, payload);
}

std::vector<std::byte> fragment(std::uint32_t stream, std::uint64_t offset, std::size_t bytes) {
  return frame({.type = frame_type::data,
                .stream = stream,
                .body_bytes = static_cast<std::uint32_t>(bytes),
                .offset = offset},
               std::vector<std::byte>(bytes, std::byte{7}));
}

} // namespace

TEST_CASE("what a queue sends is what a receiver hands on, however the bytes are split") {
  const std::uint64_t seed = 17;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 30; ++round) {
    CAPTURE(round);
    const link_codec codec{false, round % 2 == 1};
    send_queue queue(codec, 4096 << (random() % 6));
    queue.start(wide());
    std::vector<message> sent;
    for (int i = 0; i < 12; ++i) {
      sent.push_back(random_message(random, std::size_t{1} << (random() % 19)));
      sent.back().kind = static_cast<std::uint16_t>(i);
      push(queue, sent.back(), codec);
    }
    const auto wire = drain(queue);
    CHECK(queue.messages_sent() == sent.size());
    for (const std::size_t most : {std::size_t{SIZE_MAX}, std::size_t{1000}, 1 + random() % 40}) {
      CAPTURE(most);
      recorder seen;
      frame_receiver receiver(wide(), from_pool, seen);
      REQUIRE(feed(receiver, wire, most));
      REQUIRE(seen.messages.size() == sent.size());
      for (const auto& got : seen.messages) CHECK(identical(got, sent[got.kind]));
      CHECK(receiver.frames() == queue.frames_sent());
      CHECK(receiver.partial_bytes() == 0);
    }
  }
}

TEST_CASE("a damaged byte anywhere ends the connection or changes nothing that is handed on") {
  const std::uint64_t seed = 18;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  send_queue queue({}, 4096);
  queue.start(wide());
  const auto content = numbered(1, message_priority::bulk, 20'000);
  push(queue, content);
  const auto wire = drain(queue);
  for (int i = 0; i < 1000; ++i) {
    auto damaged = wire;
    const auto at = i < 100 ? static_cast<std::size_t>(i) : random() % wire.size();
    damaged[at] ^= static_cast<std::byte>(1 + random() % 255);
    CAPTURE(at);
    recorder seen;
    frame_receiver receiver(wide(), from_pool, seen);
    const auto outcome = feed(receiver, damaged);
    REQUIRE(!outcome);
    CHECK(outcome.error().code() == errc::malformed);
    CHECK(seen.messages.empty());
  }
}

TEST_CASE("a stream that breaks the rules ends the connection") {
  receive_limits limits;
  limits.window_bytes = 100'000;
  limits.max_message_bytes = limits.max_partial_bytes = 1'000'000;
  limits.max_tensor_bytes = 900'000;
  limits.max_fragment_bytes = 50'000;
  limits.max_partial_messages = 4;
  const auto breaks = [&](const std::vector<std::vector<std::byte>>& frames) {
    recorder seen;
    frame_receiver receiver(limits, from_pool, seen);
    for (const auto& bytes : frames)
      if (auto outcome = feed(receiver, bytes); !outcome)
        return outcome.error().code() == errc::malformed;
    return false;
  };
  CHECK_FALSE(breaks({open_one(1, 20'000), fragment(1, 0, 10'000), fragment(1, 10'000, 10'000)}));
  CHECK(breaks({fragment(1, 0, 10'000)}));                                         // not open
  CHECK(breaks({open_one(1, 20'000), open_one(1, 20'000)}));                       // open twice
  CHECK(breaks({open_one(1, 20'000), fragment(1, 5, 10'000)}));                    // a gap
  CHECK(breaks({open_one(1, 20'000), fragment(1, 0, 20'001)}));                    // too much
  CHECK(breaks({open_one(1, 20'000), fragment(1, 0, 20'000), fragment(1, 0, 1)})); // over
  CHECK(breaks({open_one(1, 100'000), fragment(1, 0, 50'001)}));                   // fragment
  CHECK(breaks({open_one(1, 900'001)}));                                           // tensor
  CHECK(breaks({open_one(1, 600'000), open_one(2, 600'000)}));                     // partial bytes
  CHECK(breaks({open_one(1, 9000), open_one(2, 9000), open_one(3, 9000), open_one(4, 9000),
                open_one(5, 9000)})); // partial messages
}

TEST_CASE("credit that was not granted cannot be spent") {
  receive_limits limits;
  limits.window_bytes = 16384;
  limits.max_fragment_bytes = 20'000;
  recorder seen;
  frame_receiver receiver(limits, from_pool, seen);
  REQUIRE(feed(receiver, open_one(1, 100'000)));
  REQUIRE(feed(receiver, fragment(1, 0, 4000)));
  CHECK(seen.granted == 0); // kept until it is worth a frame
  REQUIRE(feed(receiver, fragment(1, 4000, 4000)));
  CHECK(seen.granted == 8000);
  const auto outcome = feed(receiver, fragment(1, 8000, 16'385));
  REQUIRE(!outcome);
  CHECK(outcome.error().message() == "the peer sends 16385 bytes, its credit is 16384");
}

TEST_CASE("a boolean tensor with a byte that is no boolean is not handed on") {
  open_frame opened;
  opened.tensors.push_back({{dtype::boolean, {2}}, tensor_encoding::plain});
  opened.body_bytes = 2;
  std::vector<std::byte> payload(encoded_bytes(opened));
  encode(opened, payload);
  payload.push_back(std::byte{1});
  payload.push_back(std::byte{2});
  recorder seen;
  frame_receiver receiver({}, from_pool, seen);
  CHECK_FALSE(
      feed(receiver, frame({.type = frame_type::open, .stream = 1, .body_bytes = 2}, payload)));
  CHECK(seen.messages.empty());
}

TEST_CASE("a message without memory is refused, its bytes are dropped, and others pass meanwhile") {
  recorder seen;
  frame_receiver receiver(
      {}, [](std::size_t size) { return size > 50'000 ? storage_ptr() : from_pool(size); }, seen);
  REQUIRE(feed(receiver, open_one(1, 60'000)));
  CHECK(seen.refused == std::vector<std::uint32_t>{1});
  CHECK(receiver.partial_bytes() == 0);
  REQUIRE(feed(receiver, fragment(1, 0, 30'000), 777));
  REQUIRE(feed(receiver, open_one(2, 10'000)));
  REQUIRE(feed(receiver, fragment(1, 30'000, 30'000)));
  REQUIRE(feed(receiver, fragment(2, 0, 10'000)));
  CHECK(seen.messages.size() == 1);
  REQUIRE(feed(receiver, open_one(1, 10'000))); // the number is free again
  REQUIRE(feed(receiver, frame({.type = frame_type::abort, .stream = 1})));
  CHECK(receiver.partial_bytes() == 0);
}

TEST_CASE("a compressed fragment never writes more than it declares") {
  send_queue queue({false, true}, 8192);
  queue.start(wide());
  message content;
  content.tensors.push_back(tensor({dtype::u8, {8192}}, allocate_storage(8192)));
  std::memset(content.tensors[0].mutable_data(), 3, 8192);
  push(queue, content, {false, true});
  auto wire = drain(queue);
  CHECK(wire.size() < 1000);
  // The same compressed bytes under a smaller and a larger declared size.
  const auto described =
      decode_frame_header(byte_span(wire).first(frame_header_bytes))->payload_bytes;
  const auto data_at = frame_header_bytes + described;
  const auto header =
      *decode_frame_header(byte_span(wire).subspan(data_at).first(frame_header_bytes));
  REQUIRE(header.encoding == fragment_encoding::zstd);
  const auto packed = byte_span(wire).subspan(data_at + frame_header_bytes);
  for (const std::uint32_t declared : {8000u, 9000u}) {
    CAPTURE(declared);
    recorder seen;
    frame_receiver receiver({}, from_pool, seen);
    REQUIRE(feed(receiver, open_one(1, 20'000)));
    auto lying = header;
    lying.stream = 1;
    lying.body_bytes = declared;
    const auto outcome = feed(receiver, frame(lying, packed));
    REQUIRE(!outcome);
    CHECK(outcome.error().code() == errc::malformed);
  }
}
