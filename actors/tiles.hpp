#pragma once

#include "actors/shoal.hpp"
#include "runtime/tile/tile_ends.hpp"

#include <atomic>

namespace shoal {

/// How far an image is.
struct tile_progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0; ///< grows when a tile has to be halved
};

struct tile_run_options {
  int in_flight = 4;       ///< tiles that are read and not written yet
  infer_options each = {}; ///< of every tile
  int most_halvings = 4;   ///< how often a tile that does not fit a node's memory is halved
  std::function<void(const tile_progress&)> on_progress = {}; ///< called in the calling thread
  const std::atomic<bool>* cancelled = nullptr;               ///< looked at several times a second
};

/// What came of an image.
struct tile_report {
  std::uint64_t tiles = 0;      ///< that were computed
  std::uint64_t skipped = 0;    ///< that the sink had already
  std::uint64_t halved = 0;     ///< that did not fit a node's memory
  std::uint64_t compute_us = 0; ///< of all stages of all tiles
  std::uint64_t stitch_us = 0;  ///< that the calling thread computed to read, cut, stitch and write
  std::uint64_t elapsed_us = 0;
};

/// Runs an image through a model tile by tile; each is a request of its own, so that the scheduler
/// binds it late and retries it alone. Few tiles are in memory at a time. Reads, writes and waits
/// in the calling thread. `inputs` are the model's, in its order; the one that is the image is
/// ignored. The outputs are bit for bit those of the whole image if the model was loaded with
/// `load_options::steady` and the plan's `inexact()` is empty. An error names the tile; tiles that
/// were under way are cancelled then.
result<tile_report> infer_tiles(const model& through, const tile_plan& plan,
                                std::vector<tensor> inputs, tile_source& from, tile_sink& to,
                                const tile_run_options& options = {});

} // namespace shoal
