#pragma once

#include "runtime/base/result.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/tensor/tensor.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>

namespace shoal {

struct tune_options {
  int threads = 1;
  /// Where choices are kept. Empty, or not to be written to: nothing is tuned, for a choice by
  /// times that is made anew may be another one.
  std::filesystem::path folder{};
  std::chrono::milliseconds budget{2000}; ///< of runs; a model of which four take longer stays
};

/// `default_cache_folder()`'s part for `tune_options::folder`.
std::filesystem::path default_tuning_folder();

/// Those of the graph's convolutions that another algorithm may compute: dense 3×3 windows over
/// images of some channels, in float32, with constant weights.
std::vector<std::size_t> tunable_convolutions(const graph& model);

/// The same graph with Winograd's algorithm chosen at `nodes`. Where a processor has none for such
/// a node it computes it as ever.
result<std::shared_ptr<const graph>> with_winograd(const graph& model,
                                                   std::span<const std::size_t> nodes);

/// The same graph with the algorithm chosen for each convolution that is faster on this machine for
/// inputs of these types, reorders between layouts included. Times both within the whole network,
/// keeps what wins by some percent, and only if the network as a whole is faster then.
///
/// The choice is an attribute of the node: it holds for all inputs, travels with the graph, and
/// whoever runs the graph, whole or in stages, computes the same bits. It is made once for a graph,
/// machine and number of threads: the first process to measure it writes it down, and all others
/// that use the folder take it from there.
result<std::shared_ptr<const graph>> tune_convolutions(std::shared_ptr<const graph> model,
                                                       std::span<const tensor_type> inputs,
                                                       const tune_options& options);

} // namespace shoal
