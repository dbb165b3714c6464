#include "runtime/operators/arguments.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace shoal::arguments {

result<std::vector<std::int64_t>> constant_ints(const node_context& c, std::size_t i,
                                                std::string_view name) {
  if (!c.has(i)) return refuse(c, errc::malformed, "input {} '{}' is missing", i, name);
  SHOAL_CHECK(expect_type(c, i, {dtype::i64, dtype::i32}));
  if (c.dims(i).rank() > 1)
    return refuse(c, errc::malformed, "input {} '{}': expected a vector, got {}", i, name,
                  to_string(c.inputs[i].type));
  const tensor* values = c.inputs[i].constant;
  if (values == nullptr)
    return refuse(c, errc::needs_values,
                  "input {} '{}' depends on values that are known only while running", i, name);
  std::vector<std::int64_t> out;
  if (values->element_type() == dtype::i64)
    out.assign(values->values<std::int64_t>().begin(), values->values<std::int64_t>().end());
  else
    out.assign(values->values<std::int32_t>().begin(), values->values<std::int32_t>().end());
  return out;
}

result<std::vector<std::int64_t>> ints(const node_context& c, std::size_t i,
                                       std::string_view name) {
  if (c.has(i)) return constant_ints(c, i, name);
  const auto values = c.attrs().get_ints(name);
  return std::vector<std::int64_t>(values.begin(), values.end());
}

result<int> axis_of(const node_context& c, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    return refuse(c, errc::malformed, "axis {} is out of range for {} dimensions", axis, rank);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

result<std::vector<int>> axes_of(const node_context& c, std::span<const std::int64_t> axes,
                                 int rank) {
  std::vector<int> out;
  for (const auto axis : axes) {
    SHOAL_TRY(const int at, axis_of(c, axis, rank));
    out.push_back(at);
  }
  std::sort(out.begin(), out.end());
  if (std::adjacent_find(out.begin(), out.end()) != out.end())
    return refuse(c, errc::malformed, "axes [{}] name an axis twice", fmt::join(axes, ","));
  return out;
}

result<shape> checked_shape(const node_context& c, std::span<const std::int64_t> extents) {
  if (extents.size() > shape::max_rank)
    return refuse(c, errc::unsupported, "{} dimensions; at most {} are supported", extents.size(),
                  shape::max_rank);
  const auto count = checked_element_count(extents);
  if (!count) return refuse(c, count.error().code(), "{}", count.error().message());
  return shape(extents);
}

result<shape> broadcast(const node_context& c, const shape& a, const shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  shape out = shape::filled(rank, 1);
  for (int axis = 0; axis < rank; ++axis) {
    const int in_a = axis - (rank - a.rank()), in_b = axis - (rank - b.rank());
    const auto x = in_a < 0 ? 1 : a[in_a], y = in_b < 0 ? 1 : b[in_b];
    if (x != y && x != 1 && y != 1)
      return refuse(c, errc::invalid_argument, "shapes {} and {} cannot be broadcast to each other",
                    to_string(a), to_string(b));
    out[axis] = x == 1 ? y : x;
  }
  return checked_shape(c, out.span());
}

result<void> expect_type(const node_context& c, std::size_t i,
                         std::initializer_list<dtype> allowed) {
  if (std::find(allowed.begin(), allowed.end(), c.type(i)) != allowed.end()) return {};
  std::string names;
  for (const auto type : allowed)
    names += (names.empty() ? "" : ", ") + std::string(to_string(type));
  return refuse(c, errc::invalid_argument, "input {}: expected {}, got {}", i, names,
                to_string(c.inputs[i].type));
}

result<void> expect_same_type(const node_context& c, std::size_t a, std::size_t b) {
  if (c.type(a) == c.type(b)) return {};
  return refuse(c, errc::invalid_argument, "input {} is {} but input {} is {}", a,
                to_string(c.inputs[a].type), b, to_string(c.inputs[b].type));
}

result<std::vector<tensor_type>> one_output(dtype type, const shape& dims) {
  return std::vector<tensor_type>{{type, dims}};
}

} // namespace shoal::arguments
