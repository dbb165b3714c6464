#pragma once

#include "runtime/session/binding.hpp"

#include <cstdint>

namespace shoal {

/// What one run of a graph takes, whatever computes it.
struct graph_use {
  double flops = 0;
  /// Most bytes of activations, inputs and outputs included, that are alive at once while the nodes
  /// run in order. Sessions that overwrite inputs take less, scratch memory comes on top.
  std::uint64_t peak_bytes = 0;
};

graph_use use_of(const bound_graph& bound);

} // namespace shoal
