#pragma once

#include "runtime/operators/operator.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <vector>

/// Reading and checking of what a node is given: its operands and attributes.
namespace shoal::arguments {

/// `node_error` with a message in fmt's form.
template <class... Args>
error refuse(const node_context& c, errc code, fmt::format_string<Args...> text, Args&&... args) {
  return node_error(c.node, code, fmt::format(text, std::forward<Args>(args)...));
}

/// The integers of input `i` (int32 or int64, rank 0 or 1), which must be known before the first
/// run. `name` is what ONNX calls the input.
result<std::vector<std::int64_t>> constant_ints(const node_context& c, std::size_t i,
                                                std::string_view name);

/// The integers that older opsets give as the attribute `name`, newer ones as input `i`. Empty when
/// neither is there.
result<std::vector<std::int64_t>> ints(const node_context& c, std::size_t i, std::string_view name);

/// `axis`, which may count from the end, as 0 .. rank - 1.
result<int> axis_of(const node_context& c, std::int64_t axis, int rank);

/// The same for a list without repetitions, sorted.
result<std::vector<int>> axes_of(const node_context& c, std::span<const std::int64_t> axes,
                                 int rank);

/// The extents as a shape: rank and product checked.
result<shape> checked_shape(const node_context& c, std::span<const std::int64_t> extents);

/// NumPy's rule: aligned on the right, extents of 1 are repeated.
result<shape> broadcast(const node_context& c, const shape& a, const shape& b);

/// Whether `type` is one of `allowed`; the error says which input.
result<void> expect_type(const node_context& c, std::size_t i,
                         std::initializer_list<dtype> allowed);
result<void> expect_same_type(const node_context& c, std::size_t a, std::size_t b);

/// The one output of this type, if the node asks for no more.
result<std::vector<tensor_type>> one_output(dtype type, const shape& dims);

} // namespace shoal::arguments
