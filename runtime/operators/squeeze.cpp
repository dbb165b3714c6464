#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/view_rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

/// Axes are an attribute up to opset 12, an input from 13 on; without them all extents of 1 go.
result<std::vector<tensor_type>> infer_squeeze(const node_context& c) {
  const auto& dims = c.dims(0);
  SHOAL_TRY(const auto given, arguments::ints(c, 1, "axes"));
  SHOAL_TRY(auto axes, arguments::axes_of(c, given, dims.rank()));
  const bool all = !c.has(1) && !c.attrs().contains("axes");
  shape out;
  for (int axis = 0; axis < dims.rank(); ++axis) {
    const bool named = std::binary_search(axes.begin(), axes.end(), axis);
    if (named && dims[axis] != 1)
      return arguments::refuse(c, errc::invalid_argument, "axis {} of {} is not 1", axis,
                               to_string(dims));
    if (!named && !(all && dims[axis] == 1)) out.push_back(dims[axis]);
  }
  return arguments::one_output(c.type(0), out);
}

/// Without axes a part might lose the axis that it is cut along.
std::optional<int> split_squeeze(const node_context& c, std::span<const int> split) {
  if (!c.has(1) && !c.attrs().contains("axes")) return std::nullopt;
  return rules::view_split(c, split);
}

result<std::vector<tensor_type>> infer_unsqueeze(const node_context& c) {
  const auto& dims = c.dims(0);
  SHOAL_TRY(const auto given, arguments::ints(c, 1, "axes"));
  const auto rank = dims.rank() + static_cast<int>(given.size());
  if (rank > shape::max_rank)
    return arguments::refuse(c, errc::unsupported, "{} dimensions; at most {} are supported", rank,
                             shape::max_rank);
  SHOAL_TRY(const auto axes, arguments::axes_of(c, given, rank));
  shape out;
  const auto* next = dims.begin();
  for (int axis = 0; axis < rank; ++axis)
    out.push_back(std::binary_search(axes.begin(), axes.end(), axis) ? 1 : *next++);
  return arguments::one_output(c.type(0), out);
}

} // namespace

const operator_def squeeze{
    .name = "Squeeze",
    .max_inputs = 2,
    .infer = infer_squeeze,
    .input_axis = rules::view_axis,
    .receptive_field = rules::view_field,
    .split_axis = split_squeeze,
    .is_view = true,
};

const operator_def unsqueeze{
    .name = "Unsqueeze",
    .max_inputs = 2,
    .infer = infer_unsqueeze,
    .input_axis = rules::view_axis,
    .receptive_field = rules::view_field,
    .split_axis = rules::view_split,
    .is_view = true,
};

} // namespace shoal::operators
