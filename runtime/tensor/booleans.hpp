#pragma once

#include "runtime/tensor/tensor.hpp"

namespace shoal {

/// `malformed` if a boolean tensor holds a byte other than 0 and 1: to read such a byte as `bool`
/// is undefined. For bytes that came from outside, whatever their format.
result<void> check_booleans(const tensor& values);

} // namespace shoal
