#pragma once

#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operator.hpp"

/// Rules of elementwise operators whose inputs, all of them, are broadcast to each other.
namespace shoal::rules {

/// The extents that all inputs are broadcast to.
result<shape> broadcast_shape(const node_context& c);

/// All inputs have the type of input 0, and so has output 0.
result<std::vector<tensor_type>> broadcast_infer(const node_context& c);

/// Axes are counted from the right; nullopt for an input that lacks the axis.
std::optional<int> broadcast_axis(const node_context& c, std::size_t input, int axis);

/// Pointwise; what is repeated is read whole.
std::optional<interval> broadcast_field(const node_context& c, std::size_t input, int axis,
                                        interval wanted);

/// The inputs are cut along the same axis, counted from the right; those left whole have one
/// element along it.
std::optional<int> broadcast_split(const node_context& c, std::span<const int> split);

/// The layout that an input as large as the output comes in, plain last, if the smaller ones can be
/// broadcast in it; else everything is plain.
kernel_traits broadcast_layouts(const prepare_context& c);

} // namespace shoal::rules
