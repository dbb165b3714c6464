#include "runtime/schedule/scheduler_core.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>

using namespace shoal;
using namespace std::chrono_literals;

// Random histories of everything that can happen to the scheduler, against a plain record of what
// was promised. A failing seed replays.

namespace {

constexpr std::size_t capacity = 40;

class world {
 public:
  explicit world(std::uint64_t seed) : random_(seed), core_(seed, options()) {
    for (std::uint64_t slot = 0; slot < 6; ++slot) nodes_.push_back({slot, 1});
    for (const auto* model : {"a", "b"}) new_plan(model);
  }

  void step() {
    switch (below(16)) {
    case 0:
    case 1:
    case 2:
    case 3:
      submit();
      break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      report();
      break;
    case 9:
      report_again();
      break;
    case 10:
      if (below(4) == 0) lose_node();
      break;
    case 11:
      toggle_node();
      break;
    case 12:
      if (below(3) == 0) new_plan(below(2) == 0 ? "a" : "b");
      break;
    case 13:
      if (below(3) == 0) retire();
      break;
    case 14:
      if (below(5) == 0) take(core_.cancel(1 + below(next_request_), now_));
      break;
    case 15:
      now_ += std::chrono::milliseconds(below(800));
      break;
    }
    now_ += std::chrono::milliseconds(below(20));
    const bool expire_first = below(2) == 0;
    if (expire_first) take(core_.expire(now_));
    route();
    if (!expire_first) take(core_.expire(now_));
    check_bounds();
  }

  /// All faults end, every attempt succeeds: everything has to end well before the last deadline.
  void heal() {
    healing_ = true;
    for (const auto& node : closed_) core_.set_node_open(node, true);
    closed_.clear();
    for (const auto* model : {"a", "b"}) new_plan(model);
    for (int i = 0; i < 3000 && core_.open_parts() > 0; ++i) {
      now_ += 10ms;
      take(core_.expire(now_));
      route();
      for (const auto& one : std::exchange(out_, {})) report(one, attempt_outcome::success);
    }
  }

  void check_end() {
    CHECK(core_.open_parts() == 0);
    CHECK(core_.waiting_parts() == 0);
    CHECK(core_.executors().total_in_flight() == 0);
    CHECK_FALSE(core_.next_wakeup());
    CHECK(ended_.size() == accepted_.size());
    for (const auto& id : accepted_) CHECK(ended_[id] == 1);
    core_.expire(now_ + 2h);
    CHECK(core_.remembered_parts() == 0);
  }

  std::size_t accepted() const { return accepted_.size(); }
  std::size_t succeeded() const { return succeeded_; }

 private:
  struct sent {
    assignment what;
    std::vector<incarnation> nodes;
  };

  static scheduler_options options() {
    scheduler_options chosen;
    chosen.queue.capacity = capacity;
    return chosen;
  }

  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  void submit() {
    schedule_request request{next_request_++,
                             static_cast<std::uint32_t>(1 + below(4)),
                             below(2) == 0 ? "a" : "b",
                             static_cast<int>(below(3)),
                             now_ + std::chrono::milliseconds(50 + below(8000)),
                             below(3)};
    const auto answer = core_.submit(request, now_);
    if (!answer) return;
    for (std::uint32_t p = 0; p < request.parts; ++p) accepted_.insert({request.id, p});
  }

  void route() {
    while (const auto next = core_.next_route(now_)) {
      CHECK(accepted_.contains(next->key.id));
      CHECK_FALSE(ended_.contains(next->key.id));
      CHECK(next->attempt <= 3);
      CHECK(next->key.epoch == epochs_[next->model]);
      CHECK(next->deadline > now_);
      const auto& stages = plans_[next->model];
      REQUIRE(next->route.size() == stages.size());
      sent one{*next, {}};
      for (std::size_t s = 0; s < stages.size(); ++s) {
        const auto node = stages[s].at(next->route[s]).executor.node;
        CHECK_FALSE(lost_.contains(node));
        CHECK_FALSE(closed_.contains(node));
        one.nodes.push_back(node);
      }
      out_.push_back(one);
    }
  }

  void report() {
    if (out_.empty()) return;
    const auto index = below(out_.size());
    const auto one = out_[index];
    out_.erase(out_.begin() + static_cast<std::ptrdiff_t>(index));
    constexpr std::array outcomes{attempt_outcome::success, attempt_outcome::success,
                                  attempt_outcome::success, attempt_outcome::failed,
                                  attempt_outcome::refused, attempt_outcome::executor_lost};
    if (below(12) == 0) return; // the report got lost
    if (below(3) == 0) core_.reached(one.what.key, one.what.attempt, below(one.nodes.size()));
    report(one, outcomes[below(outcomes.size())]);
    past_.push_back(one);
  }

  void report_again() {
    if (!past_.empty()) report(past_[below(past_.size())], attempt_outcome::success);
  }

  void report(const sent& one, attempt_outcome outcome) {
    attempt_report what{outcome, std::nullopt, {}};
    if (outcome != attempt_outcome::success) what.failure = error(errc::unavailable, "broke");
    for (std::size_t s = 0; s < one.nodes.size(); ++s)
      what.trace.push_back({0, 1e-3 * static_cast<double>(1 + below(50)), 1e-3});
    const auto& id = one.what.key.id;
    const bool was_over = ended_.contains(id);
    const auto answer = core_.completed(one.what.key, one.what.attempt, what, now_);
    switch (answer.verdict) {
    case report_verdict::finished:
      CHECK(outcome == attempt_outcome::success);
      CHECK(one.what.key.epoch > retired_[one.what.model]);
      for (const auto& node : one.nodes) CHECK_FALSE(lost_.contains(node));
      ++ended_[id];
      ++succeeded_;
      break;
    case report_verdict::failed:
      CHECK(answer.failure);
      ++ended_[id];
      break;
    case report_verdict::duplicate:
      CHECK(was_over);
      break;
    case report_verdict::stale:
      REQUIRE(answer.failure);
      CHECK(answer.failure->code() == errc::stale);
      break;
    case report_verdict::retrying:
      CHECK_FALSE(was_over);
      break;
    }
  }

  void lose_node() {
    const auto slot = below(nodes_.size());
    const auto node = nodes_[slot];
    lost_.insert(node);
    closed_.erase(node);
    nodes_[slot].low += 1; // the next life of it
    take(core_.node_lost(node, now_));
    if (below(2) == 0) new_plan(below(2) == 0 ? "a" : "b");
  }

  void toggle_node() {
    const auto& node = nodes_[below(nodes_.size())];
    const bool open = closed_.contains(node);
    open ? static_cast<void>(closed_.erase(node)) : static_cast<void>(closed_.insert(node));
    core_.set_node_open(node, open);
    // News of a node that is lost already must not bring it back.
    if (!lost_.empty()) core_.set_node_open(*lost_.rbegin(), true);
  }

  void new_plan(const std::string& model) {
    stage_replicas stages(1 + below(3));
    for (auto& stage : stages)
      for (auto replicas = 1 + below(3); replicas > 0; --replicas)
        stage.push_back({{planned_node(), static_cast<std::uint32_t>(below(2))},
                         {1e-3 * static_cast<double>(below(40)), 1e-3}});
    REQUIRE(core_.set_plan(model, ++epochs_[model], stages));
    plans_[model] = stages;
  }

  /// A plan may have been made before its maker knew that a node was lost.
  incarnation planned_node() {
    if (!healing_ && !lost_.empty() && below(8) == 0) return *lost_.begin();
    return nodes_[below(nodes_.size())];
  }

  void retire() {
    const std::string model = below(2) == 0 ? "a" : "b";
    retired_[model] = epochs_[model] - 1;
    take(core_.retire(model, epochs_[model], now_));
    for (std::uint64_t epoch = 1; epoch < epochs_[model]; ++epoch)
      CHECK(core_.drained(model, epoch));
  }

  void take(const aftermath& after) {
    for (const auto& one : after.ended) {
      CHECK(one.failure);
      CHECK(accepted_.contains(one.id));
      ++ended_[one.id];
      CHECK(ended_[one.id] == 1);
    }
    for (const auto& id : after.retrying) CHECK_FALSE(ended_.contains(id));
  }

  void check_bounds() {
    // Retries wait above the capacity, no more of them than there were credits.
    CHECK(core_.waiting_parts() <= capacity + 12 * 64);
    CHECK(core_.open_parts() == accepted_.size() - ended_.size());
    if (const auto wakeup = core_.next_wakeup(); core_.open_parts() > 0) CHECK(wakeup);
  }

  std::mt19937_64 random_;
  scheduler_core core_;
  instant now_ = instant(1000s);
  std::uint64_t next_request_ = 1;
  std::vector<incarnation> nodes_;
  std::set<incarnation> lost_;
  std::set<incarnation> closed_;
  std::map<std::string, std::uint64_t> epochs_;
  std::map<std::string, std::uint64_t> retired_;
  std::map<std::string, stage_replicas> plans_;
  std::vector<sent> out_;
  std::vector<sent> past_;
  std::set<part_id> accepted_;
  std::map<part_id, int> ended_;
  std::size_t succeeded_ = 0;
  bool healing_ = false;
};

} // namespace

TEST_CASE("every accepted part ends exactly once under any history, and no credit leaks") {
  std::size_t accepted = 0;
  std::size_t succeeded = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    world history(seed);
    for (int i = 0; i < 400; ++i) history.step();
    history.heal();
    history.check_end();
    accepted += history.accepted();
    succeeded += history.succeeded();
  }
  CHECK(accepted > 20'000);
  CHECK(succeeded > accepted / 4); // the histories are not all gloom
}
