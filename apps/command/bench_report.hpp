#pragma once

#include "apps/command/device_use.hpp"
#include "apps/command/load_driver.hpp"

#include <string>

namespace shoal {

/// All that `shoal bench` found out.
struct bench_report {
  std::string model;
  std::string inputs;           ///< their types
  std::vector<double> expected; ///< seconds per stage, by the plan
  load_pattern pattern;
  load_outcome outcome;
  std::uint64_t client_sent = 0;     ///< bytes of tensors over the network while it was measured
  std::uint64_t client_received = 0; ///< the same
  cluster_look before, after;        ///< so long before and after that all reports are in

  double throughput() const; ///< successful requests per second
  /// Bytes between processes for one successful request: what stages got, and the client back.
  double network_bytes_per_request() const;
  /// The share of the time from the first request to the last answer that a device of `after`
  /// computed; empty when that cannot be told.
  std::optional<double> busy_share(const node_summary& node, std::size_t device) const;
};

/// For people.
std::string bench_tables(const bench_report& report);
/// For programs: one JSON object.
std::string bench_json(const bench_report& report);

} // namespace shoal
