#pragma once

#include "apps/command/device_use.hpp"
#include "apps/command/load_driver.hpp"

#include <string>

namespace shoal {

/// All that `shoal bench` found out.
struct bench_report {
  std::string model;
  std::string inputs; ///< their types
  load_pattern pattern;
  load_outcome outcome;
  std::uint64_t client_sent = 0;     ///< bytes of tensors over the network while it was measured
  std::uint64_t client_received = 0; ///< the same
  cluster_look before, after;

  double throughput() const; ///< successful requests per second
  /// Bytes between processes for one successful request: what stages got, and the client back.
  double network_bytes_per_request() const;
};

/// For people.
std::string bench_tables(const bench_report& report);
/// For programs: one JSON object.
std::string bench_json(const bench_report& report);

} // namespace shoal
