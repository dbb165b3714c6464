#pragma once

#include "runtime/base/error.hpp"

#include <fmt/format.h>

namespace shoal {

/// `return fail(errc::malformed, "expected {} bytes, got {}", a, b);`
template <class... Args>
error fail(errc code, fmt::format_string<Args...> text, Args&&... args) {
  return error(code, fmt::format(text, std::forward<Args>(args)...));
}

} // namespace shoal
