#include "runtime/plan/partition_search.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace shoal {

device_sets::device_sets(const partition_problem& problem) : wanted_(problem.options().stages) {
  std::size_t size = 1;
  for (const auto& type : problem.types()) {
    strides_.push_back(size);
    radices_.push_back(type.devices.size() + 1);
    size *= radices_.back();
  }
  totals_.resize(size);
  for (std::size_t set = 0; set < size; ++set)
    for (std::size_t type = 0; type < radices_.size(); ++type) totals_[set] += count(set, type);
}

namespace {

/// Sets of positions, a row of bits each.
class position_sets {
 public:
  position_sets(std::size_t rows, std::size_t positions)
      : words_((positions + 63) / 64), bits_(rows * words_) {}

  std::size_t words() const { return words_; }
  std::uint64_t* row(std::size_t index) { return bits_.data() + index * words_; }
  void set(std::size_t index, std::size_t position) {
    row(index)[position / 64] |= std::uint64_t{1} << position % 64;
  }
  bool test(std::size_t index, std::size_t position) {
    return row(index)[position / 64] >> position % 64 & 1;
  }
  void clear() { std::fill(bits_.begin(), bits_.end(), 0); }

 private:
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

/// Decides whether any placement keeps to a time limit, by the positions that pipelines over each
/// set of devices can reach.
class feasibility {
 public:
  feasibility(const partition_problem& problem, const device_sets& sets)
      : problem_(problem), sets_(sets), types_(problem.types().size()),
        end_(problem.last_position()), segments_(types_ * (end_ + 1), end_ + 1),
        links_(types_ * types_, end_ + 1), reached_(sets.size() * types_, end_ + 1),
        start_(1, end_ + 1) {}

  bool operator()(double limit) {
    limit_ = limit;
    find_segments();
    find_links();
    reached_.clear();
    for (std::size_t set = 1; set < sets_.size(); ++set) {
      if (!sets_.useful(set)) continue;
      for (std::size_t type = 0; type < types_; ++type) {
        if (sets_.count(set, type) == 0) continue;
        extend(set, type);
        if (sets_.complete(set) && reached_.test(set * types_ + type, end_) &&
            problem_.sink_transfer(type) <= limit)
          return true;
      }
    }
    return false;
  }

 private:
  void find_segments() {
    segments_.clear();
    for (std::size_t type = 0; type < types_; ++type)
      for (std::size_t from = 0; from < end_; ++from)
        for (std::size_t to = from + 1; to <= end_; ++to) {
          const bool in_time = problem_.seconds(type, from, to) <= limit_;
          if (!in_time && problem_.types()[type].times.monotone()) break;
          if (in_time && problem_.fits(type, from, to)) segments_.set(type * (end_ + 1) + from, to);
        }
  }

  void find_links() {
    links_.clear();
    for (std::size_t a = 0; a < types_; ++a)
      for (std::size_t b = 0; b < types_; ++b)
        for (std::size_t position = 0; position <= end_; ++position)
          if (problem_.transfer(a, b, position) <= limit_) links_.set(a * types_ + b, position);
  }

  /// From where a stage on `type`, the last of `set`, may start.
  void find_starts(std::size_t set, std::size_t type) {
    start_.clear();
    const auto before = sets_.without(set, type);
    if (sets_.total(before) == 0) {
      if (problem_.source_transfer(type) <= limit_) start_.set(0, 0);
      return;
    }
    auto* start = start_.row(0);
    for (std::size_t last = 0; last < types_; ++last) {
      if (sets_.count(before, last) == 0) continue;
      const auto* reached = reached_.row(before * types_ + last);
      const auto* link = links_.row(last * types_ + type);
      for (std::size_t w = 0; w < start_.words(); ++w) start[w] |= reached[w] & link[w];
    }
  }

  void extend(std::size_t set, std::size_t type) {
    find_starts(set, type);
    auto* target = reached_.row(set * types_ + type);
    for (std::size_t w = 0; w < start_.words(); ++w)
      for (auto bits = start_.row(0)[w]; bits != 0; bits &= bits - 1) {
        const auto from = w * 64 + static_cast<std::size_t>(std::countr_zero(bits));
        const auto* segments = segments_.row(type * (end_ + 1) + from);
        for (std::size_t v = from / 64; v < segments_.words(); ++v) target[v] |= segments[v];
      }
  }

  const partition_problem& problem_;
  const device_sets& sets_;
  std::size_t types_;
  std::size_t end_;
  position_sets segments_; ///< [type][from]: where a stage can end
  position_sets links_;    ///< [type][type]: cuts that the link can take
  position_sets reached_;  ///< [set][last type]
  position_sets start_;
  double limit_ = 0;
};

/// Calls `use` with every time that can be a bottleneck, in a fixed order.
template <class F>
void for_each_candidate(const partition_problem& problem, F use) {
  const auto end = problem.last_position();
  const auto types = problem.types().size();
  for (std::size_t type = 0; type < types; ++type) {
    use(problem.source_transfer(type));
    use(problem.sink_transfer(type));
    for (std::size_t from = 0; from < end; ++from)
      for (std::size_t to = from + 1; to <= end; ++to) use(problem.seconds(type, from, to));
    for (std::size_t other = 0; other < types; ++other)
      for (std::size_t cut = 0; cut <= end; ++cut) use(problem.transfer(type, other, cut));
  }
}

/// About the median of all candidates strictly between; nothing when there is none.
std::optional<double> median_between(const partition_problem& problem, double low, double high) {
  std::size_t count = 0;
  for_each_candidate(problem, [&](double t) { count += low < t && t < high ? 1 : 0; });
  if (count == 0) return std::nullopt;
  const std::size_t stride = count / 65536 + 1;
  std::vector<double> sample;
  std::size_t seen = 0;
  for_each_candidate(problem, [&](double t) {
    if (low < t && t < high && seen++ % stride == 0) sample.push_back(t);
  });
  const auto middle = sample.begin() + static_cast<std::ptrdiff_t>(sample.size() / 2);
  std::nth_element(sample.begin(), middle, sample.end());
  return *middle;
}

} // namespace

std::optional<double> least_bottleneck(const partition_problem& problem, const device_sets& sets) {
  feasibility feasible(problem, sets);
  double high = std::numeric_limits<double>::infinity();
  if (!feasible(high)) return std::nullopt;
  double low = -1;
  while (const auto middle = median_between(problem, low, high)) {
    if (feasible(*middle))
      high = *middle;
    else
      low = *middle;
  }
  return high;
}

} // namespace shoal
