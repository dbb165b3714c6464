#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/session/session_layouts.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace shoal::test {

/// Outputs of a graph by a `session_cache` of its own.
result<std::vector<tensor>> run_whole(std::shared_ptr<const graph> model,
                                      const std::vector<tensor>& inputs, int threads = 1);

/// The same graph cut before the nodes `cuts` (ascending, none of them 0 or the number of nodes)
/// and run stage by stage as nodes of a cluster would: each stage packed, unpacked from its chunks
/// and run by a `session_cache`, its inputs taken by name from the outputs of the stage before.
/// Values cross the cuts in the layouts `crossing`.
result<std::vector<tensor>> run_in_stages(const graph& model, const std::vector<std::size_t>& cuts,
                                          const std::vector<tensor>& inputs, int threads = 1,
                                          output_layouts crossing = output_layouts::plain);

/// Positions that cut `nodes` nodes into `stages` stages of about equal length.
std::vector<std::size_t> even_cuts(std::size_t nodes, std::size_t stages);
/// Before every node but the first.
std::vector<std::size_t> all_cuts(std::size_t nodes);
/// Between 1 and `most` positions; needs two nodes.
std::vector<std::size_t> random_cuts(std::size_t nodes, std::size_t most, std::uint64_t seed);

/// "" when both runs gave the same outputs byte for byte; otherwise what is wrong.
std::string difference(const result<std::vector<tensor>>& got,
                       const result<std::vector<tensor>>& expected);

} // namespace shoal::test
