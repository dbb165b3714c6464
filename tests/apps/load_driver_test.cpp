#include "apps/command/load_driver.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

using namespace shoal;
using std::chrono::milliseconds;

namespace {

using answer_function = std::function<void(result<inference>)>;

inference answer_of_two_stages() {
  inference answer;
  answer.attempts = 1;
  answer.parts = {{{{1, 1}, 10, 100, 0, 1000}, {{2, 2}, 20, 200, 30, 500}}};
  return answer;
}

/// Answers one request after the other, each after `service`, and none before `stalled_until`.
class slow_server {
 public:
  explicit slow_server(milliseconds service, milliseconds stall = {})
      : service_(service), stalled_until_(std::chrono::steady_clock::now() + stall),
        thread_([this](const std::stop_token& stop) { serve(stop); }) {}

  void send(answer_function answer) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(answer));
    most_ = std::max(most_, ++open_);
  }
  std::size_t most_in_flight() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  void serve(const std::stop_token& stop) {
    std::this_thread::sleep_until(stalled_until_);
    while (!stop.stop_requested()) {
      answer_function next;
      {
        const std::lock_guard lock(mutex_);
        if (!waiting_.empty()) {
          next = std::move(waiting_.front());
          waiting_.erase(waiting_.begin());
          --open_;
        }
      }
      std::this_thread::sleep_for(next ? service_ : milliseconds(1));
      if (next) next(answer_of_two_stages());
    }
  }

  const milliseconds service_;
  const std::chrono::steady_clock::time_point stalled_until_;
  std::mutex mutex_;
  std::vector<answer_function> waiting_;
  std::size_t open_ = 0;
  std::size_t most_ = 0;
  std::jthread thread_;
};

load_pattern pattern_of(std::uint64_t requests, std::uint32_t in_flight, double rate = 0) {
  load_pattern pattern;
  pattern.requests = requests;
  pattern.max_in_flight = in_flight;
  pattern.rate = rate;
  pattern.poisson = false;
  pattern.request_timeout = std::chrono::seconds(20);
  return pattern;
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("a closed loop sends as many requests as asked, with as many in flight") {
  slow_server server(milliseconds(2));
  const auto outcome =
      drive([&](answer_function answer) { server.send(std::move(answer)); }, pattern_of(30, 3));
  REQUIRE(outcome);
  CHECK(outcome->sent == 30);
  CHECK(outcome->succeeded == 30);
  CHECK(outcome->failed() == 0);
  CHECK(outcome->latency.count() == 30);
  CHECK(outcome->latency.least() >= 2000);
  CHECK(server.most_in_flight() <= 3);
  CHECK(outcome->attempts == 30);
}

TEST_CASE("what the stages did is kept apart") {
  slow_server server(milliseconds(1));
  const auto outcome =
      drive([&](answer_function answer) { server.send(std::move(answer)); }, pattern_of(5, 1));
  REQUIRE(outcome);
  REQUIRE(outcome->stages.size() == 2);
  CHECK(outcome->stages[0].compute.quantile(0.5) == 100);
  CHECK(outcome->stages[1].queue.quantile(0.5) == 20);
  CHECK(outcome->stages[1].transfer.greatest() == 30);
  CHECK(outcome->stages[1].node == incarnation{2, 2});
  CHECK(outcome->stage_bytes == 5 * 1500);
}

TEST_CASE("an open loop counts latency from when a request was due, so that a stall shows") {
  // One in flight at most, and nothing is answered for 300 ms: those who were due meanwhile could
  // not be sent, but they have waited.
  slow_server server(milliseconds(1), milliseconds(300));
  const auto outcome = drive([&](answer_function answer) { server.send(std::move(answer)); },
                             pattern_of(20, 1, 100));
  REQUIRE(outcome);
  CHECK(outcome->succeeded == 20);
  CHECK(outcome->latency.greatest() >= 250'000);
  // The tenth was due at 90 ms.
  CHECK(outcome->latency.quantile(0.5) >= 150'000);
}

TEST_CASE("what an open loop could not send before its end is counted") {
  slow_server server(milliseconds(1), milliseconds(300));
  auto pattern = pattern_of(0, 1, 100);
  pattern.duration = std::chrono::duration<double>(0.2);
  const auto outcome =
      drive([&](answer_function answer) { server.send(std::move(answer)); }, pattern);
  REQUIRE(outcome);
  CHECK(outcome->sent + outcome->not_sent == 20);
  CHECK(outcome->not_sent > 0);
  CHECK(outcome->succeeded == outcome->sent);
}

TEST_CASE("random arrivals have the rate that was asked for") {
  auto pattern = pattern_of(400, 1000, 2000);
  pattern.poisson = true;
  pattern.seed = 7;
  CAPTURE(pattern.seed);
  const auto outcome =
      drive([](answer_function answer) { answer(answer_of_two_stages()); }, pattern);
  REQUIRE(outcome);
  CHECK(outcome->succeeded == 400);
  // 399 gaps of 0.5 ms on average: their sum is 0.2 s, and its deviation 5 % of that.
  CHECK(outcome->seconds >= 0.15);
}

TEST_CASE("errors are counted by their kind, and the first is kept") {
  int count = 0;
  const auto outcome = drive(
      [&](answer_function answer) {
        ++count;
        if (count % 3 == 1) return answer(error(errc::resource_exhausted, "the queue is full"));
        if (count % 3 == 2) return answer(error(errc::unavailable, "gone"));
        answer(answer_of_two_stages());
      },
      pattern_of(9, 1));
  REQUIRE(outcome);
  CHECK(outcome->succeeded == 3);
  CHECK(outcome->failed() == 6);
  CHECK(outcome->errors.at(errc::resource_exhausted) == 3);
  CHECK(outcome->errors.at(errc::unavailable) == 3);
  CHECK(outcome->first_error.find("the queue is full") != std::string::npos);
  CHECK(outcome->latency.count() == 3);
}

TEST_CASE("a load without an end is refused") {
  const auto outcome = drive([](const answer_function&) {}, load_pattern());
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code() == errc::invalid_argument);
}

TEST_SUITE_END();
