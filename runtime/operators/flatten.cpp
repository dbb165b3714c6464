#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/view_rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto& dims = c.dims(0);
  // Here alone the axis may be the rank itself: everything is a row then.
  auto axis = c.attrs().get_int("axis", 1);
  if (axis != dims.rank()) {
    SHOAL_TRY(axis, arguments::axis_of(c, axis, dims.rank()));
  }
  const auto at = static_cast<int>(axis);
  return arguments::one_output(c.type(0),
                               {dims.element_count(0, at), dims.element_count(at, dims.rank())});
}

} // namespace

const operator_def flatten{
    .name = "Flatten",
    .infer = infer,
    .input_axis = rules::view_axis,
    .receptive_field = rules::view_field,
    .split_axis = rules::view_split,
    .is_view = true,
};

} // namespace shoal::operators
