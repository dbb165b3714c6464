#pragma once

#include "runtime/base/result.hpp"
#include "runtime/plan/cost_model.hpp"
#include "runtime/session/binding.hpp"

#include <chrono>
#include <memory>
#include <span>

namespace shoal {

struct measure_options {
  int threads = 1;
  int min_runs = 3; ///< after one that warms up
  int max_runs = 30;
  std::chrono::milliseconds budget{1000}; ///< stops after `min_runs` once this is spent
  /// A cut over which more tensors are alive is not allowed: no message carries them.
  std::size_t max_live_values = 60;
};

/// What each node of `model` costs on this machine for inputs of these types: times are the medians
/// of real runs on seeded noise (node by node within one session, so fusion, layouts and caches are
/// as they will be), bytes and FLOPs follow from the types. Layer i is node i.
result<model_costs> measure_costs(std::shared_ptr<const graph> model,
                                  std::span<const tensor_type> inputs,
                                  const measure_options& options = {});

/// Floating-point operations per second of this machine in a 3×3 convolution as vision models have
/// them, on `threads` threads: the yardstick by which the speeds of devices are compared. Takes
/// about `budget`.
result<double> measure_device(int threads,
                              std::chrono::milliseconds budget = std::chrono::milliseconds(200));

} // namespace shoal
