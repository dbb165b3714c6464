#pragma once

#include "runtime/base/result.hpp"
#include "runtime/plan/cost_model.hpp"
#include "runtime/plan/device_profile.hpp"
#include "runtime/plan/partitioner.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace shoal {

/// The times of all segments on one device. Positions are indices into the model's allowed cuts.
class segment_times {
 public:
  segment_times(const cost_model& model, const device_profile& device);
  /// Not faster anywhere than either of the two.
  static segment_times worst(const segment_times& a, const segment_times& b);
  /// Whether a longer segment never takes less time.
  bool monotone() const { return measured_.empty(); }

  double operator()(std::size_t from, std::size_t to) const {
    if (!measured_.empty())
      if (const auto found = measured_.find({from, to}); found != measured_.end())
        return found->second;
    return prefix_[to] - prefix_[from];
  }

 private:
  std::vector<double> prefix_;
  std::map<std::pair<std::size_t, std::size_t>, double> measured_;
};

/// Devices that count as one kind: exactly alike, or merged and taken at their worst.
struct device_type {
  std::vector<std::size_t> devices; ///< ascending
  std::uint64_t memory_bytes = 0;   ///< the least of them
  segment_times times;              ///< the worst of them
  bool merged = false;              ///< they are not exactly alike
};

/// A checked partitioning problem, reduced to allowed cuts and device types. Positions are indices
/// into the model's allowed cuts, types indices into `types()`.
class partition_problem {
 public:
  static constexpr std::size_t max_devices = 1024;

  static result<partition_problem> create(const cost_model& model,
                                          std::span<const device_profile> devices,
                                          const link_table& links,
                                          const partition_options& options);

  const std::vector<device_type>& types() const { return types_; }
  bool exact() const { return exact_; }
  std::size_t last_position() const { return cuts_.size() - 1; }
  std::size_t cut(std::size_t position) const { return cuts_[position]; }
  const partition_options& options() const { return options_; }

  double seconds(std::size_t type, std::size_t from, std::size_t to) const {
    return types_[type].times(from, to);
  }
  double device_seconds(std::size_t device, std::size_t from, std::size_t to) const {
    return times_[device](from, to);
  }
  std::uint64_t memory(std::size_t from, std::size_t to) const;
  bool fits(std::size_t type, std::size_t from, std::size_t to) const {
    return memory(from, to) <= types_[type].memory_bytes;
  }
  /// Between a device of one type and another device, perhaps of the same type.
  double transfer(std::size_t from_type, std::size_t to_type, std::size_t position) const {
    return links_between_[from_type * types_.size() + to_type].seconds(bytes_[position]);
  }
  double source_transfer(std::size_t type) const { return sources_[type].seconds(bytes_.front()); }
  double sink_transfer(std::size_t type) const { return sinks_[type].seconds(bytes_.back()); }

 private:
  partition_problem(const cost_model& model, const partition_options& options);
  void find_types(std::span<const device_profile> devices, const link_table& links);
  void merge_types();
  void find_links(std::span<const device_profile> devices, const link_table& links);

  const cost_model* model_;
  partition_options options_;
  std::vector<std::size_t> cuts_;
  std::vector<std::uint64_t> bytes_; ///< over each allowed cut
  std::vector<segment_times> times_; ///< per device
  std::vector<device_type> types_;
  std::vector<link_profile> links_between_; ///< [from type][to type], the worst
  std::vector<link_profile> sources_;
  std::vector<link_profile> sinks_;
  bool exact_ = true;
};

} // namespace shoal
