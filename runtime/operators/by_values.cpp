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

result<listed_axis> axis_or_row(const node_context& c) {
  const auto& dims = c.dims(0);
  if (!c.attrs().contains("axis")) return listed_axis{shape{dims.element_count()}, 0};
  SHOAL_TRY(const int axis, arguments::axis_of(c, c.attrs().get_int("axis", 0), dims.rank()));
  return listed_axis{dims, axis};
}

} // namespace shoal::by_values
