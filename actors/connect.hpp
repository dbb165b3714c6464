#pragma once

#include "actors/gatekeeper.hpp"
#include "actors/messages.hpp"
#include "runtime/base/result.hpp"

#include <caf/actor_system.hpp>

#include <chrono>
#include <string>

namespace shoal {

/// Enters the cluster whose head is at `host`:`port`, as "node" or "client". Within `timeout`,
/// whatever is or is not there: `unavailable` when nobody answers, `version_mismatch` when another
/// version does, `malformed` when it is no head. `on_problem` tells, for the log, why the
/// connection was given up, then or later.
result<cluster_doors> enter_cluster(caf::actor_system& system, const std::string& host,
                                    std::uint16_t port, const std::string& role,
                                    std::chrono::milliseconds timeout = std::chrono::seconds(5),
                                    connection_problem on_problem = {});

} // namespace shoal
