#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace shoal {

/// A measurement of layers [first, last) run as one: fusion makes it less than the sum.
struct measured_segment {
  std::size_t first = 0;
  std::size_t last = 0;
  double seconds = 0;

  friend bool operator==(const measured_segment&, const measured_segment&) = default;
};

/// A device that can run one stage, or a share of one: a device that may run several stages is
/// listed `shares` times, each entry with that part of its time and memory. A segment's time on it
/// is, in this order: its measurement in `segments`; the sum of `layer_seconds`; the reference time
/// divided by `speed`.
struct device_profile {
  std::string name;
  double speed = 1; ///< throughput relative to the reference device; > 0
  std::uint64_t memory_bytes = std::numeric_limits<std::uint64_t>::max();
  std::size_t node = 0;                ///< the node that hosts it, an index into the link table
  std::vector<double> layer_seconds{}; ///< empty, or one time per layer
  std::vector<measured_segment> segments{}; ///< whole segments measured on this device
  std::size_t shares = 1;      ///< entries of this device; the times above are those of all of it
  std::size_t unit = own_unit; ///< the same for all entries of one device

  static constexpr std::size_t own_unit = std::numeric_limits<std::size_t>::max();
};

/// One direction of the way between two nodes. Moving c bytes takes latency + c / bytes_per_s.
struct link_profile {
  double latency_s = 0;
  double bytes_per_s = std::numeric_limits<double>::infinity();

  double seconds(std::uint64_t bytes) const {
    return latency_s + static_cast<double>(bytes) / bytes_per_s;
  }
  friend bool operator==(const link_profile&, const link_profile&) = default;
};

/// The links between nodes: one default and its exceptions. Within a node everything is free unless
/// `set_within` says what it costs.
class link_table {
 public:
  link_table() = default;
  explicit link_table(link_profile by_default) : default_(by_default) {}

  void set(std::size_t from, std::size_t to, link_profile link) { links_[{from, to}] = link; }

  link_profile between(std::size_t from, std::size_t to) const {
    if (from == to) return within_;
    const auto found = links_.find({from, to});
    return found == links_.end() ? default_ : found->second;
  }

  void set_within(link_profile link) { within_ = link; }
  const link_profile& within() const { return within_; }
  const link_profile& by_default() const { return default_; }
  const std::map<std::pair<std::size_t, std::size_t>, link_profile>& exceptions() const {
    return links_;
  }

 private:
  link_profile default_;
  link_profile within_;
  std::map<std::pair<std::size_t, std::size_t>, link_profile> links_;
};

} // namespace shoal
