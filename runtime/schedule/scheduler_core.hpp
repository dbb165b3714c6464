#pragma once

#include "runtime/base/result.hpp"
#include "runtime/schedule/admission.hpp"
#include "runtime/schedule/executor_choice.hpp"
#include "runtime/schedule/part_key.hpp"
#include "runtime/schedule/request_queue.hpp"
#include "runtime/schedule/retry_budget.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace shoal {

struct scheduler_options {
  queue_options queue;
  retry_options retry;
  std::uint32_t poison_after = 2; ///< executors lost by one part
  /// An attempt that does not report within max(attempt_lease, attempt_factor · expected) is tried
  /// again elsewhere; its result is still welcome.
  time_span attempt_lease = std::chrono::seconds(3);
  double attempt_factor = 5;
  /// Part of how long an ended part is remembered, so that duplicates are known as such.
  time_span node_lease = std::chrono::seconds(3);
  time_span lost_node_memory = std::chrono::minutes(10);
  time_span max_deadline = std::chrono::hours(1); ///< from submission
};

/// What a client wants done: `parts` parts of one request, each to be ended on its own.
struct schedule_request {
  std::uint64_t id = 0;
  std::uint32_t parts = 1;
  std::string model;
  int priority = 0; ///< higher goes first
  instant deadline;
  std::uint64_t shape_class = 0;
};

struct ticket {
  std::uint64_t request = 0;
  std::uint32_t parts = 0;
  instant predicted_finish;
};

/// One attempt at a part: the replica it visits in every stage of the plan of that epoch.
struct assignment {
  task_key key;
  std::uint32_t attempt = 1;
  std::string model;
  std::vector<std::size_t> route;
  instant deadline;
};

enum class attempt_outcome : std::uint8_t {
  success,      ///< a valid result
  failed,       ///< another attempt may do better: link, memory, device
  refused,      ///< every attempt would end so: the input is wrong
  executor_lost ///< the executor died of it, or with it
};

struct stage_trace {
  double queue_s = 0;
  double compute_s = 0;
  double transfer_s = 0;
};

struct attempt_report {
  attempt_outcome outcome = attempt_outcome::success;
  std::optional<error> failure;   ///< what was wrong, when not a success
  std::vector<stage_trace> trace; ///< per stage as far as it came
};

/// The end of a part: with its result, or with an error.
struct part_ending {
  part_id id;
  std::optional<error> failure;
};

enum class report_verdict : std::uint8_t {
  finished,  ///< the first valid result: use it
  retrying,  ///< dropped; the part will be tried again or another attempt is still out
  failed,    ///< the part ended with `failure`
  duplicate, ///< the part had ended before: drop it
  stale      ///< of an older epoch, a lost node or nothing known: drop it; `failure` is errc::stale
};

struct report_result {
  report_verdict verdict = report_verdict::finished;
  std::optional<error> failure;
};

/// What a loss or the passing of time did to parts.
struct aftermath {
  std::vector<part_id> retrying;
  std::vector<part_ending> ended;
};

/// The scheduler as a pure state machine: queue, admission, choice of executors, retries, fencing
/// by epoch and node. Not thread-safe; `now` never goes back. The caller turns messages into calls,
/// calls `next_route` after each until it is empty, and `expire` at `next_wakeup`; while parts wait
/// and executors are busy also every 100 ms or so, because a stalled executor is told by the time.
///
/// Holds at all times: every accepted part ends exactly once, reported by exactly one call
/// (`completed`, `node_lost`, `retire`, `expire`, `cancel` or `remove_model`); a route visits only
/// open nodes, and only replicas of the model's current plan; every credit taken is given back.
///
/// A change of plan loses nothing: `set_plan` sends new attempts to the new plan while attempts
/// under the old one finish; `retire` fences the old epoch, and what is still out under it is tried
/// again.
class scheduler_core {
 public:
  explicit scheduler_core(std::uint64_t seed, scheduler_options options = {});

  /// Replaces the model's plan for new attempts. invalid_argument when a stage has no replica or
  /// the epoch is not above all earlier ones.
  result<void> set_plan(const std::string& model, std::uint64_t epoch, stage_replicas stages);
  /// Fences every epoch of the model up to this one, except its current plan.
  aftermath retire(const std::string& model, std::uint64_t epoch, instant now);
  /// True when no attempt is out under this epoch: its shards can be unloaded.
  bool drained(const std::string& model, std::uint64_t epoch) const;
  /// Ends all its parts as unavailable and forgets its plan.
  aftermath remove_model(const std::string& model, instant now);

  /// All parts or none. not_found without a plan for the model; deadline_exceeded when it is
  /// predicted to be late; resource_exhausted when the queue is full; invalid_argument for an id
  /// still in use. For the last but two, `retry_after` tells when to come back.
  result<ticket> submit(const schedule_request& request, instant now);
  std::chrono::milliseconds retry_after() const { return retry_after_; }

  /// The next part that has a route now, with one credit of each executor on it taken. What it
  /// finds past its deadline is reported by the next `expire`.
  std::optional<assignment> next_route(instant now);

  /// An attempt reports. The first success ends the part; its credits are free again.
  report_result completed(const task_key& key, std::uint32_t attempt, const attempt_report& report,
                          instant now);
  /// Optional news that an attempt is in this stage now: a node lost later is charged to the part
  /// only if the part was on it.
  void reached(const task_key& key, std::uint32_t attempt, std::size_t stage);

  /// For ever: an incarnation that is lost does not come back, its late results are stale.
  aftermath node_lost(const incarnation& node, instant now);
  /// Suspect and draining nodes get no new work; what is out there may finish.
  void set_node_open(const incarnation& node, bool open);

  /// Ends what is past its deadline, and tries again what does not report.
  aftermath expire(instant now);
  /// When `expire` or `next_route` has something to do next, if nothing else happens.
  std::optional<instant> next_wakeup() const;
  /// Withdraws all open parts of a request.
  aftermath cancel(std::uint64_t request, instant now);

  void set_round_trip(const executor_id& executor, double seconds);

  std::size_t open_parts() const { return parts_.size(); }
  std::size_t waiting_parts() const { return queue_.size() + delayed_.size(); }
  std::size_t remembered_parts() const { return ended_.size(); }
  const request_queue& queue() const { return queue_; }
  const executor_choice& executors() const { return choice_; }

 private:
  struct plan_state {
    std::uint64_t lane = 0;
    std::uint64_t epoch = 0;
    stage_replicas stages;
    std::map<std::uint64_t, std::size_t> out; ///< attempts per epoch that may still report
    std::size_t in_flight = 0;                ///< attempts that hold credits
  };
  enum class attempt_state : std::uint8_t {
    running, ///< holds credits
    lapsed,  ///< given up, but its result is welcome
    closed   ///< reported, or fenced
  };
  struct attempt_record {
    std::uint32_t number = 1;
    std::uint64_t epoch = 0;
    attempt_state state = attempt_state::running;
    std::vector<executor_id> visits;    ///< per stage
    std::vector<executor_id> executors; ///< the distinct ones, for credits
    std::optional<std::size_t> stage;   ///< where it is, if told
    instant started;
    instant due;
    instant lease_end;
  };
  struct part_state {
    schedule_request request; ///< `id` and `parts` as submitted
    instant since;
    std::vector<attempt_record> attempts;
    std::uint32_t executors_lost = 0;
    std::optional<instant> delayed_until; ///< waits for a retry outside the queue
  };
  using part_map = std::map<part_id, part_state>;

  /// Whether a failed attempt draws on the retry budget. The loss of a node does not: it is no
  /// fault of the work, and the limits on attempts and on executors lost bound it.
  enum class retry_cost : std::uint8_t { budget, free };

  result<void> check(const schedule_request& request, instant now) const;
  route_load load_of(const plan_state& plan, const schedule_request& request, instant now) const;
  queued_part waiting_part(const part_id& id, const part_state& part) const;
  void start_delayed(instant now);
  std::optional<route_choice> find_route(const queued_part& waiting, instant now) const;
  assignment start(const part_id& id, const route_choice& route, instant now);

  attempt_record* find_attempt(part_state& part, const task_key& key, std::uint32_t number);
  void free_credits(part_state& part, const part_id& id, attempt_record& attempt);
  void close(part_state& part, const part_id& id, attempt_record& attempt);
  void learn(const part_state& part, const attempt_record& attempt, const attempt_report& report);
  bool waits(const part_id& id, const part_state& part) const;
  /// Lets the part wait for another attempt if it may have one.
  bool try_again(const part_id& id, part_state& part, retry_cost cost, instant now);
  /// After an attempt was closed. Nothing while the part goes on, else the error it ended with.
  std::optional<error> settle(part_map::iterator part, error cause, retry_cost cost, instant now);
  void settle(part_map::iterator part, error cause, aftermath& after, instant now);
  void end(part_map::iterator part, instant now);
  void expire_deadlines(aftermath& after, instant now);
  void expire_leases(aftermath& after, instant now);
  void forget(instant now);

  scheduler_options options_;
  std::mt19937_64 random_;
  request_queue queue_;
  executor_choice choice_;
  retry_budget budget_;
  std::map<std::string, plan_state> plans_;
  part_map parts_; ///< all open parts
  std::set<std::pair<instant, part_id>> delayed_;
  std::set<std::pair<instant, part_id>> deadlines_;
  std::set<std::tuple<instant, part_id, std::uint32_t>> leases_; ///< of running attempts
  std::map<part_id, instant> ended_;                             ///< until when each is remembered
  std::set<std::pair<instant, part_id>> forget_;
  std::map<incarnation, instant> lost_;
  aftermath unreported_; ///< found by next_route, for the next expire
  std::chrono::milliseconds retry_after_{0};
  std::uint64_t next_lane_ = 1;
};

} // namespace shoal
