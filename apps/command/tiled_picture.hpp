#pragma once

#include "apps/command/input_flags.hpp"
#include "apps/command/output_flags.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/tile_flags.hpp"

namespace shoal {

/// What a picture that goes through a model window by window is made by: neither it nor the result
/// need fit into memory.
struct tiled_picture {
  runtime_flags where;
  model_flags what;
  input_flags inputs;
  output_flags outputs;
  tile_flags tiles;
  std::chrono::milliseconds timeout;
  bool show_plan = false;
  bool trace = false;

  /// Whether one picture file goes in and one comes out, a TIFF, or a PNG as it is.
  bool streams() const;
  /// A TIFF that was begun before, in the same way, is completed.
  result<void> run() const;
};

} // namespace shoal
