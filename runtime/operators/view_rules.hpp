#pragma once

#include "runtime/operators/operator.hpp"

/// Rules of operators that give a tensor another shape and leave its elements as they lie.
namespace shoal::rules {

/// The axis of `after` that holds the same elements as axis `axis` of `before`: it has as many, and
/// as many rows of them.
std::optional<int> same_axis(const shape& before, const shape& after, int axis);

/// The axis of input 0 that holds the same elements as `axis` of the output.
std::optional<int> view_axis(const node_context& c, std::size_t input, int axis);

/// Pointwise along axes that keep their elements.
std::optional<interval> view_field(const node_context& c, std::size_t input, int axis,
                                   interval wanted);

/// Cuts go with their axis. For operators whose attributes state no extents.
std::optional<int> view_split(const node_context& c, std::span<const int> split);

} // namespace shoal::rules
