#pragma once

#include "runtime/net/tcp_link.hpp"

#include <doctest/doctest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace shoal::test {

/// No wait of a test is longer; none is expected to take even a fraction of it.
inline constexpr std::chrono::seconds patience{30};

/// A TCP link and all that its handlers were told, to wait for and look at from the test's thread.
class watched_link {
 public:
  explicit watched_link(tcp_link_options options = {}) {
    auto opened = tcp_link::open(std::move(options), handlers());
    REQUIRE(opened);
    link_ = std::move(*opened);
  }
  ~watched_link() { link_->close(); }

  struct arrival {
    incarnation from;
    message content;
  };

  tcp_link& operator*() { return *link_; }
  tcp_link* operator->() { return link_.get(); }
  peer_address address() const { return link_->address(); }

  /// Sends and counts the completion.
  void send(const peer_address& to, message content) {
    link_->send(to, std::move(content), [this](result<void> outcome) {
      std::lock_guard lock(mutex_);
      outcomes_.push_back(std::move(outcome));
      changed_.notify_all();
    });
  }

  /// The next message, in order of arrival.
  arrival receive() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [&] { return !arrivals_.empty(); }));
    auto first = std::move(arrivals_.front());
    arrivals_.pop_front();
    return first;
  }
  /// The outcome of the next send to complete.
  result<void> outcome() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [&] { return !outcomes_.empty(); }));
    auto first = std::move(outcomes_.front());
    outcomes_.pop_front();
    return first;
  }
  /// Waits until `count` peers have gone down, and returns the reasons.
  std::vector<error> wait_down(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [&] { return down_.size() >= count; }));
    return down_;
  }
  /// Waits until a problem was reported whose text contains `part`.
  error wait_problem(const std::string& part) {
    std::unique_lock lock(mutex_);
    const error* found = nullptr;
    const bool in_time = changed_.wait_for(lock, patience, [&] {
      for (const auto& problem : problems_)
        if (problem.message().find(part) != std::string::npos) found = &problem;
      return found != nullptr;
    });
    INFO("waited for a problem with: " << part);
    REQUIRE(in_time);
    return *found;
  }
  std::size_t pending_outcomes() {
    std::lock_guard lock(mutex_);
    return outcomes_.size();
  }
  std::size_t problem_count() {
    std::lock_guard lock(mutex_);
    return problems_.size();
  }
  std::size_t down_count() {
    std::lock_guard lock(mutex_);
    return down_.size();
  }
  /// Waits until the peer has refused a message whose sending had completed.
  error wait_rejected() {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, patience, [&] { return !rejected_.empty(); }));
    return rejected_.front();
  }

  /// Called on the link's thread before a message is recorded. Set before anything is sent.
  std::function<void(const incarnation&, const message&)> on_arrival;

 private:
  link_handlers handlers() {
    link_handlers all;
    all.on_message = [this](const incarnation& from, message&& content) {
      if (on_arrival) on_arrival(from, content);
      std::lock_guard lock(mutex_);
      arrivals_.push_back({from, std::move(content)});
      changed_.notify_all();
    };
    all.on_peer_down = [this](const incarnation&, const error& reason) {
      std::lock_guard lock(mutex_);
      down_.push_back(reason);
      changed_.notify_all();
    };
    all.on_rejected = [this](const incarnation&, std::uint16_t, const error& reason) {
      std::lock_guard lock(mutex_);
      rejected_.push_back(reason);
      changed_.notify_all();
    };
    all.on_problem = [this](std::string_view, const error& reason) {
      std::lock_guard lock(mutex_);
      problems_.push_back(reason);
      changed_.notify_all();
    };
    return all;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<arrival> arrivals_;
  std::deque<result<void>> outcomes_;
  std::vector<error> down_;
  std::vector<error> rejected_;
  std::deque<error> problems_;
  std::unique_ptr<tcp_link> link_;
};

/// A tensor of `bytes` bytes with content that follows from `seed`.
tensor random_bytes(std::size_t bytes, std::uint64_t seed);
/// Any dtype, rank and shape with at most `max_bytes` bytes, booleans valid.
tensor random_tensor(std::mt19937_64& random, std::size_t max_bytes);
/// Random kind, priority, metadata and 0 to 4 tensors.
message random_message(std::mt19937_64& random, std::size_t max_bytes);
/// One tensor of `bytes` bytes whose content follows from `kind`; none if 0.
message numbered(std::uint16_t kind, message_priority priority, std::size_t bytes);
bool identical(const message& a, const message& b);

} // namespace shoal::test
