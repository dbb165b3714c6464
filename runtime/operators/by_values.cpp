#include "runtime/operators/by_values.hpp"

namespace shoal::by_values {

result<void> expect(const node_context& c) {
  for (const auto& in : c.inputs)
    if (in.present && in.constant == nullptr)
      return arguments::refuse(
          c, errc::needs_values,
          "the shape of the output depends on values that are known only while running");
  return {};
}

} // namespace shoal::by_values
