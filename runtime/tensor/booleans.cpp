#include "runtime/tensor/booleans.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>

namespace shoal {

result<void> check_booleans(const tensor& values) {
  if (values.element_type() != dtype::boolean) return {};
  const auto bytes = values.bytes();
  const auto wrong = std::find_if(bytes.begin(), bytes.end(),
                                  [](std::byte b) { return std::to_integer<int>(b) > 1; });
  if (wrong == bytes.end()) return {};
  return fail(errc::malformed, "expected 0 or 1 as element {} of {}, got {}", wrong - bytes.begin(),
              to_string(values.type()), std::to_integer<int>(*wrong));
}

} // namespace shoal
