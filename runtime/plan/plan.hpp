#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// One stage: layers [first_layer, last_layer) on one device.
struct plan_stage {
  std::size_t first_layer = 0;
  std::size_t last_layer = 0;
  std::size_t device = 0; ///< index into the devices that were planned over
  std::size_t unit = 0;   ///< the same for all entries of one device
  std::size_t node = 0;   ///< that device's node
  std::string device_name;
  double expected_seconds = 0; ///< compute, on that device
  double transfer_seconds = 0; ///< moving its input to it
  std::uint64_t parameter_bytes = 0;
  std::uint64_t flops = 0;
  std::uint64_t bytes_in = 0;     ///< alive over the cut before it
  std::uint64_t bytes_out = 0;    ///< alive over the cut after it
  std::uint64_t memory_bytes = 0; ///< parameters, peak activations and queued tensors
};

/// Why a device got no stage.
enum class idle_reason : std::uint8_t {
  would_slow, ///< a stage on it would slow the pipeline, or gain nothing
  memory,     ///< not even the smallest possible stage fits
  not_wanted  ///< the number of stages was given, and reached without it
};

std::string_view to_string(idle_reason reason);

struct idle_device {
  std::size_t device = 0;
  std::string device_name;
  idle_reason reason = idle_reason::would_slow;
};

/// Another device that runs a stage, too: each request takes one of them.
struct plan_replica {
  std::size_t stage = 0;
  std::size_t device = 0;
  std::size_t unit = 0;
  std::size_t node = 0;
  std::string device_name;
  double expected_seconds = 0; ///< compute, on that device
};

/// A model's stages and where they run. Two plans of one model differ in their epoch.
struct execution_plan {
  std::uint64_t epoch = 0;
  std::vector<plan_stage> stages;
  std::vector<plan_replica> replicas; ///< besides the devices of `stages`
  std::vector<idle_device> idle;
  double final_transfer_seconds = 0; ///< from the last stage to the sink
  double bottleneck_s =
      0; ///< between two results: the slowest stage (all its devices at work) or link
  double latency_s = 0; ///< one request through all stages and links
  bool optimal = true;  ///< false: found by the heuristic for many unlike devices

  /// Devices that have a stage.
  std::size_t devices_used() const;
  /// Requests per second with the pipeline full; 0 when nothing takes time.
  double throughput() const;
  /// The time of `count` requests that start together: latency + (count − 1) · bottleneck.
  double batch_seconds(std::size_t count) const;
};

} // namespace shoal
