#include "runtime/plan/partition_search.hpp"

#include <algorithm>
#include <cassert>
#include <limits>

namespace shoal {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// Least time to each position over pipelines that use a set of devices and end on a type, filled
/// set by set; the way is found again by asking which step gave exactly the value that was kept.
class shortest_ways {
 public:
  shortest_ways(const partition_problem& problem, const device_sets& sets, double limit)
      : problem_(problem), sets_(sets), limit_(limit), types_(problem.types().size()),
        end_(problem.last_position()), least_(sets.size() * types_ * (end_ + 1), never) {
    for (std::size_t set = 1; set < sets_.size(); ++set)
      for (std::size_t type = 0; type < types_; ++type)
        if (sets_.useful(set) && sets_.count(set, type) != 0) extend(set, type);
  }

  std::vector<placed_segment> best() const {
    const auto [set, type] = best_end();
    assert(set != 0);
    return way_to(set, type);
  }

 private:
  double& least(std::size_t set, std::size_t type, std::size_t position) {
    return least_[(set * types_ + type) * (end_ + 1) + position];
  }
  double least(std::size_t set, std::size_t type, std::size_t position) const {
    return least_[(set * types_ + type) * (end_ + 1) + position];
  }

  /// The time at which a stage on `type` has its input at `position`, the stages before it being on
  /// `before` and the last of them on `last`.
  double arrival(std::size_t before, std::size_t last, std::size_t type,
                 std::size_t position) const {
    const auto transfer = problem_.transfer(last, type, position);
    return transfer <= limit_ ? least(before, last, position) + transfer : never;
  }

  double first_arrival(std::size_t type) const {
    const auto transfer = problem_.source_transfer(type);
    return transfer <= limit_ ? transfer : never;
  }

  void extend(std::size_t set, std::size_t type) {
    const auto before = sets_.without(set, type);
    for (std::size_t from = 0; from < end_; ++from) {
      double start = never;
      if (sets_.total(before) == 0) {
        if (from == 0) start = first_arrival(type);
      } else {
        for (std::size_t last = 0; last < types_; ++last)
          if (sets_.count(before, last) != 0)
            start = std::min(start, arrival(before, last, type, from));
      }
      if (start == never) continue;
      for (std::size_t to = from + 1; to <= end_; ++to) {
        const auto seconds = problem_.seconds(type, from, to);
        if (seconds > limit_ && problem_.types()[type].times.monotone()) break;
        if (seconds > limit_ || !problem_.fits(type, from, to)) continue;
        auto& kept = least(set, type, to);
        kept = std::min(kept, start + seconds);
      }
    }
  }

  double total(std::size_t set, std::size_t type) const {
    const auto transfer = problem_.sink_transfer(type);
    if (!sets_.complete(set) || transfer > limit_) return never;
    return least(set, type, end_) + transfer;
  }

  std::pair<std::size_t, std::size_t> best_end() const {
    double shortest = never;
    for (std::size_t set = 1; set < sets_.size(); ++set)
      for (std::size_t type = 0; type < types_; ++type)
        shortest = std::min(shortest, total(set, type));
    // Sums of the same times in another order differ in their last digits: equal enough.
    const auto enough = shortest * (1 + 1e-9);
    std::pair<std::size_t, std::size_t> best{0, 0};
    for (std::size_t set = 1; set < sets_.size(); ++set)
      for (std::size_t type = 0; type < types_; ++type)
        if (total(set, type) <= enough && total(set, type) != never &&
            (best.first == 0 || sets_.total(set) < sets_.total(best.first)))
          best = {set, type};
    return best;
  }

  std::vector<placed_segment> way_to(std::size_t set, std::size_t type) const {
    std::vector<placed_segment> way;
    auto position = end_;
    while (set != 0) {
      const auto before = sets_.without(set, type);
      const auto [from, last] = step_to(set, type, position);
      way.push_back({type, from, position});
      position = from;
      set = before;
      type = last;
    }
    std::reverse(way.begin(), way.end());
    return way;
  }

  /// Where the last stage of the way to this cell starts, and the type of the stage before it.
  std::pair<std::size_t, std::size_t> step_to(std::size_t set, std::size_t type,
                                              std::size_t to) const {
    const auto before = sets_.without(set, type);
    const auto kept = least(set, type, to);
    for (std::size_t from = 0; from < to; ++from) {
      const auto seconds = problem_.seconds(type, from, to);
      if (seconds > limit_ || !problem_.fits(type, from, to)) continue;
      if (sets_.total(before) == 0) {
        if (from == 0 && first_arrival(type) + seconds == kept) return {0, 0};
        continue;
      }
      for (std::size_t last = 0; last < types_; ++last)
        if (sets_.count(before, last) != 0 && arrival(before, last, type, from) + seconds == kept)
          return {from, last};
    }
    assert(false && "a kept time has a step that gave it");
    return {0, 0};
  }

  const partition_problem& problem_;
  const device_sets& sets_;
  double limit_;
  std::size_t types_;
  std::size_t end_;
  std::vector<double> least_; ///< [set][last type][position]
};

} // namespace

std::vector<placed_segment> shortest_within(const partition_problem& problem,
                                            const device_sets& sets, double limit) {
  return shortest_ways(problem, sets, limit).best();
}

} // namespace shoal
