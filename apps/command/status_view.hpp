#pragma once

#include "apps/command/device_use.hpp"

#include <string>

namespace shoal {

/// A look at the cluster as tables for a terminal. Rates are those since the look `before`; without
/// one (null) they are left out.
std::string status_tables(const cluster_look& now, const cluster_look* before);

/// The same as one line of JSON.
std::string status_json(const cluster_look& now, const cluster_look* before);

} // namespace shoal
