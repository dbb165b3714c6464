#pragma once

#include "actors/shoal.hpp"
#include "apps/command/value_histogram.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace shoal {

/// How requests are sent.
struct load_pattern {
  /// Requests per second, sent whether or not earlier ones are answered (open loop). 0: the next
  /// goes when one is answered (closed loop).
  double rate = 0;
  bool poisson = true;             ///< open loop: random arrivals; else evenly spaced
  std::uint64_t seed = 1;          ///< of random arrivals
  std::uint32_t max_in_flight = 1; ///< closed loop: exactly so many; open loop: never more
  std::uint64_t requests = 0;      ///< 0: no limit, `duration` is one then
  std::chrono::duration<double> duration{0};   ///< sends none after that; 0: no limit
  std::chrono::milliseconds request_timeout{}; ///< by when `send_request` has answered
};

/// What one stage did, in microseconds per part.
struct stage_statistics {
  incarnation node; ///< that ran the last part
  value_histogram queue, compute, transfer;
};

/// What came of it. Memory is bounded, whatever the number of requests.
struct load_outcome {
  std::uint64_t sent = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t not_sent = 0; ///< open loop: due before the end, but too many were in flight
  std::map<errc, std::uint64_t> errors;
  std::string first_error;
  double seconds = 0;      ///< from the start to the last answer
  value_histogram latency; ///< microseconds, of what succeeded, since the request was due
  std::vector<stage_statistics> stages;
  std::uint64_t stage_bytes = 0; ///< that stages got over the network
  std::uint64_t attempts = 0;    ///< parts sent, retries included

  std::uint64_t failed() const {
    std::uint64_t count = 0;
    for (const auto& [code, times] : errors) count += times;
    return count;
  }
};

/// Sends one request; the answer comes exactly once, on any thread, perhaps before it returns.
using send_request = std::function<void(std::function<void(result<inference>)> answer)>;
/// Called now and then with what there is so far.
using watch_load = std::function<void(const load_outcome& so_far, double seconds)>;

/// Sends requests by the pattern and waits for all answers. In the open loop, latency counts from
/// the time a request was due, not from when it could be sent: that a stalled server holds up its
/// clients is part of it (no "coordinated omission"). `internal` when an answer does not come.
result<load_outcome> drive(const send_request& send, const load_pattern& pattern,
                           const watch_load& watch = {});

} // namespace shoal
