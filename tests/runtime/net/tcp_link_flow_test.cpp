#include "tests/runtime/net/link_fixture.hpp"
#include "tests/support/raw_peer.hpp"

#include <thread>

using namespace shoal;
using namespace shoal::test;
using namespace std::chrono_literals;

namespace {

/// Opened by the test, waited for by a handler.
class gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [&] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

} // namespace

TEST_CASE("a small interactive message overtakes a bulk message of 64 MiB") {
  watched_link sender;
  watched_link receiver;
  sender.send(receiver.address(), numbered(1, message_priority::bulk, 64 << 20));
  sender.send(receiver.address(), numbered(2, message_priority::interactive, 1000));
  sender.send(receiver.address(),
              numbered(3, message_priority::bulk, 1000)); // same lane: also shorter
  CHECK(receiver.receive().content.kind == 2);
  CHECK(receiver.receive().content.kind == 3);
  const auto large = receiver.receive();
  CHECK(large.content.kind == 1);
  CHECK(identical(large.content, numbered(1, message_priority::bulk, 64 << 20)));
}

TEST_CASE(
    "credit bounds what a sender may have under way while the receiver's handler is blocked") {
  tcp_link_options small;
  small.limits.window_bytes = 256 << 10;
  small.limits.max_fragment_bytes = 32 << 10;
  gate opened;
  watched_link receiver(small);
  receiver.on_arrival = [&](const incarnation&, const message&) { opened.pass(); };
  watched_link sender;
  constexpr int count = 64;
  for (int i = 0; i < count; ++i)
    sender.send(receiver.address(),
                numbered(static_cast<std::uint16_t>(i), message_priority::bulk, 64 << 10));
  // Once nothing moves any more, what was sent is what the window allows: 256 KiB and headers.
  std::uint64_t sent = 0;
  for (int calm = 0; calm < 10;) {
    std::this_thread::sleep_for(20ms);
    const auto now = sender->stats().total.bytes_sent;
    calm = now == sent && now > 0 ? calm + 1 : 0;
    sent = now;
  }
  CHECK(sent > 128 << 10);
  CHECK(sent < 300 << 10);
  CHECK(sender.pending_outcomes() < 5);
  opened.open();
  for (int i = 0; i < count; ++i) {
    const auto got = receiver.receive();
    CHECK(identical(got.content,
                    numbered(static_cast<std::uint16_t>(i), message_priority::bulk, 64 << 10)));
    CHECK(sender.outcome());
  }
}

TEST_CASE("a message larger than the whole window passes") {
  tcp_link_options small;
  small.limits.window_bytes = 64 << 10;
  watched_link receiver(small);
  watched_link sender;
  sender.send(receiver.address(), numbered(1, message_priority::bulk, 5'000'001));
  CHECK(identical(receiver.receive().content, numbered(1, message_priority::bulk, 5'000'001)));
  CHECK(sender.outcome());
}

TEST_CASE("a full queue refuses at once, and one message always fits") {
  tcp_link_options options;
  options.max_queued_bytes = 1 << 20;
  options.max_queued_messages = 3;
  watched_link sender(options);
  raw_listener silent; // never greets, so nothing leaves the queues
  const peer_address one{{1, 1}, "127.0.0.1", silent.port()};
  const peer_address other{{1, 2}, "127.0.0.1", silent.port()};
  sender.send(one, numbered(1, message_priority::bulk, 2 << 20));
  CHECK(sender.pending_outcomes() == 0);
  sender.send(one, numbered(2, message_priority::bulk, 10));
  REQUIRE(sender.pending_outcomes() == 1);
  CHECK(sender.outcome().error().code() == errc::resource_exhausted);
  for (int i = 0; i < 3; ++i) sender.send(other, numbered(3, message_priority::bulk, 0));
  CHECK(sender.pending_outcomes() == 0);
  sender.send(other, numbered(4, message_priority::bulk, 0));
  REQUIRE(sender.pending_outcomes() == 1);
  CHECK(sender.outcome().error().code() == errc::resource_exhausted);
}

TEST_CASE(
    "a receiver without memory refuses that message, keeps the connection, and tells the sender") {
  tcp_link_options poor;
  poor.allocate = [](std::size_t size) {
    return size > 1'000'000 ? storage_ptr() : buffer_pool::shared().take(size);
  };
  watched_link receiver(poor);
  watched_link sender;
  sender.send(receiver.address(), numbered(1, message_priority::bulk, 64 << 20));
  sender.send(receiver.address(), numbered(2, message_priority::bulk, 900'000));
  CHECK(receiver.receive().content.kind == 2);
  int failed = 0;
  for (int i = 0; i < 2; ++i) {
    const auto outcome = sender.outcome();
    if (outcome) continue;
    ++failed;
    CHECK(outcome.error().code() == errc::resource_exhausted);
    CHECK(outcome.error().message().find("no memory for uint8[67108864]") != std::string::npos);
  }
  CHECK(failed == 1);
  CHECK(sender.down_count() == 0);
  CHECK(receiver.down_count() == 0);
}

TEST_CASE("a message above the receiver's limit fails at the sender and costs no connection") {
  tcp_link_options small;
  small.limits.max_message_bytes = 1 << 20;
  watched_link receiver(small);
  watched_link sender;
  sender.send(receiver.address(), numbered(1, message_priority::bulk, 2 << 20));
  const auto outcome = sender.outcome();
  REQUIRE(!outcome);
  CHECK(outcome.error().code() == errc::resource_exhausted);
  sender.send(receiver.address(), numbered(2, message_priority::bulk, 1000));
  CHECK(receiver.receive().content.kind == 2);
  CHECK(receiver.down_count() == 0);
}

TEST_CASE("a message to the own incarnation arrives without a connection and without a copy") {
  watched_link link;
  const auto content = numbered(1, message_priority::control, 1000);
  link.send(link.address(), content);
  const auto got = link.receive();
  CHECK(got.from == link.address().id);
  CHECK(got.content.tensors[0].data() == content.tensors[0].data());
  CHECK(link.outcome());
}

TEST_CASE("an invalid message is refused at once") {
  watched_link link;
  message content;
  content.tensors.resize(1);
  link.send({{1, 1}, "127.0.0.1", 1}, content);
  CHECK(link.outcome().error().code() == errc::invalid_argument);
  content.tensors.clear();
  content.metadata.resize(message::max_metadata_bytes + 1);
  link.send({{1, 1}, "127.0.0.1", 1}, content);
  CHECK(link.outcome().error().code() == errc::invalid_argument);
}

TEST_CASE("closing a link fails what waits as cancelled, and later sends at once") {
  watched_link link;
  auto receiver = std::make_unique<watched_link>();
  for (int i = 0; i < 50; ++i)
    link.send(receiver->address(), numbered(1, message_priority::bulk, 4 << 20));
  link->close();
  for (int i = 0; i < 50; ++i) {
    const auto outcome = link.outcome();
    if (!outcome) CHECK(outcome.error().code() == errc::cancelled);
  }
  link.send(receiver->address(), numbered(1, message_priority::bulk, 10));
  CHECK(link.outcome().error().code() == errc::cancelled);
}

TEST_CASE("a handler that throws costs its message, not the link") {
  watched_link receiver;
  receiver.on_arrival = [](const incarnation&, const message& content) {
    if (content.kind == 1) throw std::runtime_error("on purpose");
  };
  watched_link sender;
  sender.send(receiver.address(), numbered(1, message_priority::control, 10));
  sender.send(receiver.address(), numbered(2, message_priority::control, 10));
  CHECK(receiver.receive().content.kind == 2);
  CHECK(receiver.wait_problem("on purpose").code() == errc::internal);
}

TEST_CASE("a small message that the receiver refuses is reported although its sending completed") {
  tcp_link_options poor;
  poor.allocate = [](std::size_t) { return storage_ptr(); };
  watched_link receiver(poor);
  watched_link sender;
  sender.send(receiver.address(), numbered(1, message_priority::control, 100));
  CHECK(sender.outcome());
  CHECK(sender.wait_rejected().code() == errc::resource_exhausted);
  sender.send(receiver.address(), numbered(2, message_priority::control, 0));
  CHECK(receiver.receive().content.kind == 2);
}

TEST_CASE("a completion that throws costs no connection") {
  watched_link receiver;
  watched_link sender;
  sender->send(receiver.address(), numbered(1, message_priority::control, 100),
               [](result<void>) { throw std::runtime_error("on purpose"); });
  sender.send(receiver.address(), numbered(2, message_priority::bulk, 1 << 20));
  CHECK(receiver.receive().content.kind == 1);
  CHECK(receiver.receive().content.kind == 2);
  CHECK(sender.wait_problem("on purpose").code() == errc::internal);
}
