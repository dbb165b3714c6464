#pragma once

#include "runtime/aggregate/ensemble_file.hpp"
#include "runtime/graph/graph.hpp"

#include <memory>
#include <span>
#include <vector>

namespace shoal {

/// How the inputs and outputs of an ensemble are those of its members.
struct ensemble_binding {
  /// A graph without nodes that has the ensemble's inputs, each as the first member that has it
  /// declares it, in the order in which the members name them.
  std::shared_ptr<const graph> interface;
  std::vector<std::vector<std::size_t>> inputs;  ///< per member, per input of its model: which
  std::vector<std::vector<std::size_t>> outputs; ///< per member, per output of the ensemble: which
};

/// `models` are the members' graphs, in their order. `invalid_argument` or `not_found` names the
/// member, when it lacks an input or output that the ensemble refers to, or takes an input in
/// another element type than an earlier one.
result<ensemble_binding> bind_members(const ensemble_description& what,
                                      std::span<const std::shared_ptr<const graph>> models);

} // namespace shoal
