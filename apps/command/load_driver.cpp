#include "apps/command/load_driver.hpp"

#include "runtime/base/fail.hpp"

#include <condition_variable>
#include <mutex>
#include <random>

namespace shoal {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

constexpr auto watch_period = std::chrono::milliseconds(200);
/// What answers may be late by beyond the timeout of their requests.
constexpr auto grace = std::chrono::seconds(10);

struct completion {
  clock::time_point due;
  clock::time_point at;
  result<inference> answer; ///< without its outputs
};

/// Where answers arrive. Outlives the driver as long as one is missing.
struct inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<completion> items;
};

/// When requests are due.
class timetable {
 public:
  timetable(const load_pattern& pattern, clock::time_point begin)
      : pattern_(pattern), next_(begin), random_(pattern.seed),
        gap_(pattern.rate > 0 ? pattern.rate : 1) {}

  clock::time_point next() const { return next_; }
  void step() {
    const double gap = pattern_.poisson ? gap_(random_) : 1 / pattern_.rate;
    next_ += std::chrono::duration_cast<clock::duration>(seconds(gap));
  }

 private:
  const load_pattern& pattern_;
  clock::time_point next_;
  std::mt19937_64 random_;
  std::exponential_distribution<double> gap_;
};

std::uint64_t microseconds(clock::duration span) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(span).count();
  return us > 0 ? static_cast<std::uint64_t>(us) : 0;
}

class driver {
 public:
  driver(const send_request& send, const load_pattern& pattern, const watch_load& watch)
      : send_(send), pattern_(pattern), watch_(watch), begin_(clock::now()),
        end_(pattern.duration.count() > 0
                 ? begin_ + std::chrono::duration_cast<clock::duration>(pattern.duration)
                 : clock::time_point::max()),
        timetable_(pattern, begin_), last_answer_(begin_) {}

  result<load_outcome> run() {
    auto patience = clock::now() + pattern_.request_timeout + grace;
    while (true) {
      if (take_answers()) patience = clock::now() + pattern_.request_timeout + grace;
      const bool more = send_due();
      if (!more && in_flight_ == 0) break;
      const auto now = clock::now();
      if (in_flight_ == 0) patience = now + pattern_.request_timeout + grace;
      if (now > patience)
        return fail(errc::internal, "{} requests got no answer, {} s after their timeout",
                    in_flight_, grace.count());
      if (watch_) watch_(outcome_, seconds(now - begin_).count());
      wait(more);
    }
    if (open_loop()) count_not_sent();
    outcome_.seconds = seconds(last_answer_ - begin_).count();
    return std::move(outcome_);
  }

 private:
  bool open_loop() const { return pattern_.rate > 0; }

  /// Sends what is due now; whether more will be due later.
  bool send_due() {
    while (true) {
      if (pattern_.requests > 0 && outcome_.sent >= pattern_.requests) return false;
      const auto now = clock::now();
      if (now >= end_ || (open_loop() && timetable_.next() >= end_)) return false;
      if (in_flight_ >= pattern_.max_in_flight) return true;
      if (!open_loop()) {
        send_one(now);
      } else {
        if (timetable_.next() > now) return true;
        send_one(timetable_.next());
        timetable_.step();
      }
    }
  }

  void send_one(clock::time_point due) {
    ++outcome_.sent;
    ++in_flight_;
    send_([to = inbox_, due](result<inference> answer) {
      if (answer) answer->outputs.clear(); // nobody looks at them, and they are large
      const std::lock_guard lock(to->mutex);
      to->items.push_back({due, clock::now(), std::move(answer)});
      to->arrived.notify_one();
    });
  }

  /// Whether there was one.
  bool take_answers() {
    std::vector<completion> items;
    {
      const std::lock_guard lock(inbox_->mutex);
      items.swap(inbox_->items);
    }
    for (const auto& item : items) count(item);
    in_flight_ -= static_cast<std::uint32_t>(items.size());
    return !items.empty();
  }

  void count(const completion& item) {
    last_answer_ = std::max(last_answer_, item.at);
    if (!item.answer) {
      if (outcome_.errors.empty()) outcome_.first_error = to_string(item.answer.error());
      ++outcome_.errors[item.answer.error().code()];
      return;
    }
    ++outcome_.succeeded;
    outcome_.latency.add(microseconds(item.at - item.due));
    outcome_.attempts += item.answer->attempts;
    for (const auto& part : item.answer->parts) {
      if (part.size() > outcome_.stages.size()) outcome_.stages.resize(part.size());
      for (std::size_t i = 0; i < part.size(); ++i) {
        auto& stage = outcome_.stages[i];
        stage.node = part[i].node;
        stage.queue.add(part[i].queue_us);
        stage.compute.add(part[i].compute_us);
        stage.transfer.add(part[i].transfer_us);
        outcome_.stage_bytes += part[i].bytes;
      }
    }
  }

  /// Until an answer is here, a request is due or it is time to look around.
  void wait(bool more) {
    auto until = clock::now() + watch_period;
    if (more && open_loop() && in_flight_ < pattern_.max_in_flight)
      until = std::min(until, timetable_.next());
    if (more) until = std::min(until, end_);
    std::unique_lock lock(inbox_->mutex);
    inbox_->arrived.wait_until(lock, until, [this] { return !inbox_->items.empty(); });
  }

  void count_not_sent() {
    if (end_ == clock::time_point::max()) return;
    for (; timetable_.next() < end_; timetable_.step()) {
      if (pattern_.requests > 0 && outcome_.sent + outcome_.not_sent >= pattern_.requests) return;
      ++outcome_.not_sent;
    }
  }

  const send_request& send_;
  const load_pattern& pattern_;
  const watch_load& watch_;
  const clock::time_point begin_;
  const clock::time_point end_;
  timetable timetable_;
  clock::time_point last_answer_;
  std::uint32_t in_flight_ = 0;
  std::shared_ptr<inbox> inbox_ = std::make_shared<inbox>();
  load_outcome outcome_;
};

} // namespace

result<load_outcome> drive(const send_request& send, const load_pattern& pattern,
                           const watch_load& watch) {
  if (pattern.requests == 0 && pattern.duration.count() <= 0)
    return fail(errc::invalid_argument, "a load without an end: requests or duration must be set");
  if (pattern.max_in_flight == 0)
    return fail(errc::invalid_argument, "a load of which no request may be in flight");
  return driver(send, pattern, watch).run();
}

} // namespace shoal
