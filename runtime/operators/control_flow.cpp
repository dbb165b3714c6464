#include "runtime/operators/control_flow.hpp"

#include "runtime/operators/arguments.hpp"

#include <cstring>

namespace shoal::control_flow {

result<void> expect_body(const graph_node& node, std::string_view name) {
  if (node.attrs.get<graph_body>(name) != nullptr) return {};
  return node_error(node, errc::malformed, fmt::format("it has no graph '{}'", name));
}

result<bool> condition(const node_context& c, const tensor& t) {
  if (t.element_type() != dtype::boolean || t.element_count() != 1)
    return arguments::refuse(c, errc::invalid_argument, "expected a condition of one bool, got {}",
                             to_string(t.type()));
  return t.values<bool>()[0];
}

result<tensor> row(const tensor& t, int axis, std::int64_t index) {
  const auto& dims = t.dims();
  shape rest;
  for (int i = 0; i < dims.rank(); ++i)
    if (i != axis) rest.push_back(dims[i]);
  SHOAL_TRY(auto out, tensor::allocate({t.element_type(), rest}));
  const auto outer = dims.element_count(0, axis);
  const auto bytes = static_cast<std::size_t>(dims.element_count(axis + 1, dims.rank())) *
                     size_of(t.element_type());
  for (std::int64_t o = 0; o < outer; ++o)
    std::memcpy(out.mutable_data() + static_cast<std::size_t>(o) * bytes,
                t.data() + static_cast<std::size_t>(o * dims[axis] + index) * bytes, bytes);
  return out;
}

result<tensor> stack(const node_context& c, std::span<const tensor> rows, int axis, bool reverse) {
  const auto& first = rows.front();
  for (const auto& r : rows)
    if (r.type() != first.type())
      return arguments::refuse(c, errc::invalid_argument,
                               "an output of the body is {} once and {} another time",
                               to_string(first.type()), to_string(r.type()));
  if (axis < 0 || axis > first.dims().rank())
    return arguments::refuse(c, errc::malformed, "axis {} is out of range for {} dimensions", axis,
                             first.dims().rank() + 1);
  std::vector<std::int64_t> extents(first.dims().begin(), first.dims().end());
  extents.insert(extents.begin() + axis, static_cast<std::int64_t>(rows.size()));
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, extents));
  SHOAL_TRY(auto out, tensor::allocate({first.element_type(), dims}));
  const auto outer = static_cast<std::size_t>(dims.element_count(0, axis));
  const auto bytes = static_cast<std::size_t>(dims.element_count(axis + 1, dims.rank())) *
                     size_of(first.element_type());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto at = reverse ? rows.size() - 1 - r : r;
    for (std::size_t o = 0; o < outer; ++o)
      std::memcpy(out.mutable_data() + (o * rows.size() + at) * bytes, rows[r].data() + o * bytes,
                  bytes);
  }
  return out;
}

} // namespace shoal::control_flow
