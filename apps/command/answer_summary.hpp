#pragma once

#include "actors/tiles.hpp"

#include <string>

namespace shoal {

/// A table with one row per output: its name, its type, and where its values lie.
std::string describe_outputs(const graph& ran, const std::vector<tensor>& outputs);

/// A table of what every stage did to every part of a request.
std::string describe_trace(const inference& answer);

/// A line on the tiles of an image.
std::string describe_tiles(const tile_report& report);

} // namespace shoal
