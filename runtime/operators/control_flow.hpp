#pragma once

#include "runtime/operators/operator.hpp"

#include <string_view>

/// What If, Loop and Scan share.
namespace shoal::control_flow {

/// A node that has the graph `name`, or an error that says so.
result<void> expect_body(const graph_node& node, std::string_view name);

/// The one truth value that `t` holds.
result<bool> condition(const node_context& c, const tensor& t);

/// Row `index` of `t` along `axis`, which goes.
result<tensor> row(const tensor& t, int axis, std::int64_t index);

/// Rows of equal type joined along a new axis `axis`, in reverse if asked for.
result<tensor> stack(const node_context& c, std::span<const tensor> rows, int axis, bool reverse);

} // namespace shoal::control_flow
