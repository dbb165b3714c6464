#pragma once

#include "runtime/base/error.hpp"

#include <caf/error.hpp>

#include <string_view>

namespace shoal {

/// Our errors inside CAF's: the code, and the message as context.
caf::error to_caf(const error& failure);

/// The way back. CAF's own errors become `unavailable` (the actor or its node is gone),
/// `deadline_exceeded` (a request timed out), `version_mismatch` (another interface) or `internal`;
/// their messages begin with `whom`, who was asked.
error from_caf(const caf::error& failure, std::string_view whom = {});

} // namespace shoal
