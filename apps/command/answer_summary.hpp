#pragma once

#include "actors/shoal.hpp"

#include <string>

namespace shoal {

/// A table with one row per output: its name, its type, and where its values lie.
std::string describe_outputs(const model& ran, const inference& answer);

/// A table of what every stage did to every part of a request.
std::string describe_trace(const inference& answer);

} // namespace shoal
