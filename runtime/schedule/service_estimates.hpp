#pragma once

#include "runtime/base/ids.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>

namespace shoal {

/// One device of one node: what runs one thing at a time.
struct executor_id {
  incarnation node;
  std::uint32_t device = 0;

  friend auto operator<=>(const executor_id&, const executor_id&) = default;
};

/// What kind of work a time belongs to.
struct work_class {
  std::uint64_t model = 0;
  std::uint32_t stage = 0;
  std::uint64_t shape = 0; ///< class of input shapes that cost alike

  friend auto operator<=>(const work_class&, const work_class&) = default;
};

struct service_time {
  double compute_s = 0;
  double transfer_s = 0; ///< bringing its input to the executor
};

/// Exponentially weighted means of observed times per (work, executor). Bounded: when full, the
/// entry that was not observed for longest goes.
class service_estimates {
 public:
  static constexpr double weight = 0.2; ///< of a new observation

  explicit service_estimates(std::size_t capacity = 4096) : capacity_(capacity) {}

  void observe(const work_class& work, const executor_id& executor, service_time seen);
  /// What was observed for this shape, else for the latest other shape of the same work, else
  /// `planned`.
  service_time estimate(const work_class& work, const executor_id& executor,
                        service_time planned) const;
  void forget_model(std::uint64_t model);
  void forget_node(const incarnation& node);
  std::size_t size() const { return entries_.size(); }

 private:
  struct key {
    std::uint64_t model;
    std::uint32_t stage;
    executor_id executor;
    std::uint64_t shape;
    friend auto operator<=>(const key&, const key&) = default;
  };
  struct entry {
    service_time mean;
    std::uint64_t observed_at; ///< a count of observations, not a time
  };

  std::size_t capacity_;
  std::uint64_t observations_ = 0;
  std::map<key, entry> entries_;
};

} // namespace shoal
