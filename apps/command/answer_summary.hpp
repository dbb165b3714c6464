#pragma once

#include "actors/ensemble.hpp"
#include "actors/tiles.hpp"

#include <span>
#include <string>

namespace shoal {

/// A table with one row per output: its name, its type, and where its values lie.
std::string describe_outputs(std::span<const std::string> names, std::span<const tensor> outputs);

/// A table of what every stage did to every part of a request.
std::string describe_trace(const inference& answer);

/// A line on the tiles of an image.
std::string describe_tiles(const tile_report& report);

/// Two tables: how far the members of an ensemble agree on every output, and what became of each
/// member; then the reasons of those that have no part in the answer.
std::string describe_agreement(const ensemble& ran, const ensemble_inference& answer);

} // namespace shoal
