#pragma once

#include "actors/messages.hpp"
#include "runtime/base/result.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <string>

namespace shoal {

/// Enters the cluster whose head is at `host`:`port`, as "node" or "client". Within `timeout`,
/// whatever is or is not there: `unavailable` when nobody answers, `version_mismatch` when another
/// version does.
result<cluster_doors> enter_cluster(caf::actor_system& system, const std::string& host,
                                    std::uint16_t port, const std::string& role,
                                    std::chrono::milliseconds timeout = std::chrono::seconds(5));

} // namespace shoal
