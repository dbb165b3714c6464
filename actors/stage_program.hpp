#pragma once

#include "runtime/session/session_cache.hpp"
#include "runtime/store/chunk_store.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

namespace shoal {

/// Which stage of which plan a shard hosts.
struct stage_name {
  std::string model;
  std::uint64_t epoch = 0;
  std::uint32_t stage = 0;
};

/// One stage of a model, ready to run on one executor: what a shard hosts. Only the executor's
/// thread runs it.
class stage_program {
 public:
  stage_program(stage_name which, std::shared_ptr<const graph> stage_graph,
                const session_options& options, chunk_store::pin weights = {})
      : name(std::move(which)), sessions(std::move(stage_graph), options),
        weights_(std::move(weights)) {}

  const stage_name name;
  session_cache sessions;
  std::atomic<std::uint64_t> parts_done{0};
  std::atomic<std::uint64_t> compute_us{0}; ///< sum over all parts

 private:
  chunk_store::pin weights_; ///< keeps the weights in the disk cache while the stage is loaded
};

} // namespace shoal
