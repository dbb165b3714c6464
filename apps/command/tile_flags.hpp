#pragma once

#include "actors/tiles.hpp"
#include "apps/command/progress_line.hpp"

#include <CLI/CLI.hpp>

#include <optional>

namespace shoal {

/// The flags that say how an image goes through a model in tiles.
struct tile_flags {
  std::optional<tile_choice> choice; ///< nothing: whole
  std::string image;                 ///< which input it is; empty: the first
  bool last = false;                 ///< the image's channels come last

  void add_to(CLI::App& command);
  bool used() const { return choice.has_value(); }
  /// For `where`, which has joined: auto looks at its executors.
  result<tile_plan> plan(const std::shared_ptr<const graph>& model,
                         std::span<const tensor_type> inputs, runtime& where) const;
};

/// What a model has to be loaded with to run by this plan.
load_options for_tiles(load_options options, const tile_plan& plan);

struct tiled_model {
  tile_plan plan;
  model ready;
};

/// Loads the model for tiles by `plan`, or for smaller ones if its nodes have no memory for those.
result<tiled_model> load_for_tiles(runtime& where, const std::shared_ptr<const graph>& model,
                                   const load_options& options, tile_plan plan);

/// Enough tiles for every executor to have the next one at hand.
result<int> tiles_in_flight(runtime& where);

} // namespace shoal
