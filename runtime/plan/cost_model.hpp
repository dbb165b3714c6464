#pragma once

#include "runtime/base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace shoal {

/// What one layer (a graph node after rewriting) costs on the reference device.
struct layer_cost {
  std::string name;
  std::string op;
  std::uint64_t parameter_bytes = 0;
  std::uint64_t flops = 0;
  double seconds = 0;                 ///< measured on the reference device
  std::uint64_t activation_bytes = 0; ///< most bytes of activations alive while it runs
};

/// What is known of a chain of n layers in topological order. Cut j lies before layer j: cut 0 is
/// the model's input, cut n its output.
struct model_costs {
  std::vector<layer_cost> layers;
  std::vector<std::uint64_t> cut_bytes; ///< n + 1: bytes of all tensors alive over cut j
  std::vector<bool> cut_forbidden;      ///< empty, or n + 1: a stage may not begin or end here
};

/// What layers [first, last) cost together on the reference device.
struct segment_cost {
  double seconds = 0;
  std::uint64_t parameter_bytes = 0;
  std::uint64_t flops = 0;
  std::uint64_t activation_bytes = 0; ///< the peak over its layers
};

/// Checked costs with every segment query in constant time (prefix sums, a sparse table for peaks).
/// Immutable once made: any number of threads may read.
class cost_model {
 public:
  static constexpr std::size_t max_layers = 4096;

  /// Fails when lengths disagree, a time is negative or not finite, or sums overflow.
  static result<cost_model> create(model_costs costs);

  std::size_t layer_count() const { return costs_.layers.size(); }
  const model_costs& costs() const { return costs_; }
  const layer_cost& layer(std::size_t index) const { return costs_.layers[index]; }
  std::uint64_t cut_bytes(std::size_t position) const { return costs_.cut_bytes[position]; }
  /// The positions where a stage may begin or end, ascending: 0 first, n last.
  const std::vector<std::size_t>& cuts() const { return cuts_; }

  /// Requires first <= last <= layer_count().
  segment_cost segment(std::size_t first, std::size_t last) const;
  segment_cost whole() const { return segment(0, layer_count()); }

 private:
  explicit cost_model(model_costs costs) : costs_(std::move(costs)) {}
  std::uint64_t peak_activation(std::size_t first, std::size_t last) const;

  model_costs costs_;
  std::vector<std::size_t> cuts_;
  std::vector<double> seconds_;
  std::vector<std::uint64_t> parameters_;
  std::vector<std::uint64_t> flops_;
  std::vector<std::vector<std::uint64_t>> peaks_; ///< [k][i]: the peak of layers [i, i + 2^k)
};

} // namespace shoal
