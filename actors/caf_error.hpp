#pragma once

#include "runtime/base/error.hpp"

#include <caf/error.hpp>

namespace shoal {

/// Our errors inside CAF's: the code, and the message as context.
caf::error to_caf(const error& failure);

/// The way back. CAF's own errors become `unavailable` (the actor or its node is gone),
/// `deadline_exceeded` (a request timed out), `version_mismatch` (another interface) or `internal`.
error from_caf(const caf::error& failure);

} // namespace shoal
