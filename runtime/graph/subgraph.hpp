#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"

#include <cstddef>
#include <vector>

namespace shoal {

/// What crosses a cut between node `cut - 1` and node `cut`: inputs and values produced before it
/// that a later node reads or that are graph outputs. Constants never cross: either side has its
/// own. Before the first node these are all inputs, and after the last one all outputs, both as the
/// graph lists them; in between, graph inputs come first, then values by the node that makes them.
std::vector<value_id> live_values(const graph& model, std::size_t cut);

/// Nodes [first, last) as a graph of its own, with the same names: it takes what is live before
/// `first` and gives what is live before `last`, values that only pass through included. So the
/// outputs of one stage are, name by name, the inputs of the next. Inputs have a type only where
/// the model declares one. `invalid_argument` unless first < last <= number of nodes.
result<graph> extract_stage(const graph& model, std::size_t first, std::size_t last);

} // namespace shoal
