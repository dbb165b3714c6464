#pragma once

#include "runtime/operators/arguments.hpp"

/// For operators whose output extents follow from the values of their inputs: they have no kernel,
/// only `evaluate`, and the types are those of what it makes.
namespace shoal::by_values {

/// All inputs are constant, or it is `needs_values`.
result<void> expect(const node_context& c);

/// Entries along an axis: that of attribute `axis`, or of all elements in a row without it.
struct listed_axis {
  shape dims; ///< of the input as it is seen
  int axis = 0;
};
result<listed_axis> axis_or_row(const node_context& c);

/// The types of the outputs of an `evaluate`.
template <auto Evaluate>
result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto values, Evaluate(c));
  std::vector<tensor_type> types;
  for (const auto& value : values) types.push_back(value.type());
  return types;
}

} // namespace shoal::by_values
