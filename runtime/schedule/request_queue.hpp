#pragma once

#include "runtime/base/result.hpp"
#include "runtime/schedule/instant.hpp"
#include "runtime/schedule/part_key.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace shoal {

/// A part that waits for a route.
struct queued_part {
  part_id id;
  std::uint64_t lane = 0; ///< parts of one lane (one model) wait for the same executors
  int priority = 0;       ///< higher goes first
  instant deadline;
  instant since; ///< when it began to wait; kept when it is queued again
};

struct queue_options {
  std::size_t capacity = 1024;
  /// Waiting this long is worth one step of priority, so nothing starves. Among parts of equal
  /// priority that began to wait within the same period the earliest deadline goes first.
  time_span aging_period = std::chrono::seconds(2);
};

/// A bounded queue: highest aged priority first, then earliest deadline, then arrival. Age counts
/// in whole periods, which makes the order of two parts the same at all times. All operations are
/// O(log n), popping O(lanes + log n).
class request_queue {
 public:
  explicit request_queue(queue_options options = {}) : options_(options) {}

  /// resource_exhausted when full; the message tells after how many milliseconds to try again.
  /// invalid_argument when the part waits already.
  result<void> push(const queued_part& part);
  /// Puts a part that was accepted before back, whatever the capacity: what is accepted is served.
  /// Their number is bounded by the parts in flight.
  void readmit(const queued_part& part);

  /// Takes the first part whose lane is ready. The predicate is asked once per lane, about its
  /// first part, in the order of the queue.
  std::optional<queued_part> pop_ready(const std::function<bool(const queued_part&)>& ready,
                                       instant now);
  /// Takes all parts whose deadline has come, earliest first.
  std::vector<queued_part> expire(instant now);
  bool remove(const part_id& id);

  std::size_t size() const { return parts_.size(); }
  std::size_t lane_size(std::uint64_t lane) const;
  /// How many parts of its lane would go before this one; O(their number).
  std::size_t ahead_of(const queued_part& part) const;
  std::size_t capacity() const { return options_.capacity; }
  bool contains(const part_id& id) const { return parts_.contains(id); }
  /// Until a place is likely free: the smoothed time between two parts leaving.
  std::chrono::milliseconds retry_after() const;

 private:
  struct rank {
    std::int64_t level; ///< aged priority, negated: lowest first
    instant deadline;
    std::uint64_t arrival;
    part_id id;
    friend auto operator<=>(const rank&, const rank&) = default;
  };
  struct waiting {
    queued_part part;
    rank order;
  };

  rank rank_of(const queued_part& part, std::uint64_t arrival) const;
  void insert(const queued_part& part);
  queued_part take(std::map<part_id, waiting>::iterator position);

  queue_options options_;
  std::uint64_t arrivals_ = 0;
  std::map<part_id, waiting> parts_;
  std::map<std::uint64_t, std::set<rank>> lanes_; ///< never holds an empty set
  std::set<std::pair<instant, part_id>> deadlines_;
  std::optional<instant> last_pop_;
  double pop_interval_s_ = 0.01;
};

} // namespace shoal
