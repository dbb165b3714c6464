#include "tests/support/asked_node.hpp"

#include <cstring>

namespace shoal::test {
namespace {

/// Copies rows of `axis` and what lies inside it between a whole and its part from `first` on.
template <class Copy>
void for_each_row(const shape& whole, const shape& part, int axis, std::size_t size,
                  std::int64_t first, Copy copy) {
  const auto inner = static_cast<std::size_t>(whole.element_count(axis + 1, whole.rank())) * size;
  const auto bytes = static_cast<std::size_t>(part[axis]) * inner;
  for (std::int64_t r = 0; r < whole.element_count(0, axis); ++r)
    copy(static_cast<std::size_t>(r * whole[axis] + first) * inner,
         static_cast<std::size_t>(r) * bytes, bytes);
}

tensor allocated(dtype type, const shape& dims) {
  return {{type, dims},
          allocate_storage(static_cast<std::size_t>(dims.element_count()) * size_of(type))};
}

} // namespace

asked_node::asked_node(const node_case& test) {
  node.name = "node_under_test";
  node.opset = test.opset;
  node.attrs = test.attrs;
  for (const auto& in : test.inputs) {
    node.inputs.push_back(in.value.empty() ? no_value : 0);
    operands.push_back({in.value.empty() ? tensor_type{} : in.value.type(),
                        in.constant ? &in.value : nullptr, !in.value.empty()});
  }
  node.outputs.assign(test.outputs, 0);
  if (auto found = find_operator(test.op, test.domain, test.opset, node.name))
    node.definition = *found;
}

tensor cut(const tensor& whole, int axis, std::int64_t first, std::int64_t count) {
  shape dims = whole.dims();
  dims[axis] = count;
  auto part = allocated(whole.element_type(), dims);
  for_each_row(whole.dims(), dims, axis, size_of(whole.element_type()), first,
               [&](std::size_t in_whole, std::size_t in_part, std::size_t bytes) {
                 std::memcpy(part.mutable_data() + in_part, whole.data() + in_whole, bytes);
               });
  return part;
}

tensor join(const std::vector<tensor>& parts, int axis) {
  shape dims = parts[0].dims();
  dims[axis] = 0;
  for (const auto& part : parts) dims[axis] += part.dims()[axis];
  auto whole = allocated(parts[0].element_type(), dims);
  std::int64_t first = 0;
  for (const auto& part : parts) {
    shape expected = dims;
    expected[axis] = part.dims()[axis];
    if (part.dims() != expected || part.element_type() != parts[0].element_type()) return part;
    for_each_row(dims, part.dims(), axis, size_of(part.element_type()), first,
                 [&](std::size_t in_whole, std::size_t in_part, std::size_t bytes) {
                   std::memcpy(whole.mutable_data() + in_whole, part.data() + in_part, bytes);
                 });
    first += part.dims()[axis];
  }
  return whole;
}

} // namespace shoal::test
