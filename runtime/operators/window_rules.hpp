#pragma once

#include "kernels/window.hpp"
#include "runtime/operators/operator.hpp"

/// What convolutions and pools have in common: a window over the spatial axes 2, 3, … of input 0,
/// described by the attributes kernel_shape, strides, dilations, pads, auto_pad and ceil_mode.
namespace shoal::rules {

/// The node's window, auto_pad resolved for the extents of input 0. `kernel` are the taps along
/// each spatial axis. Fails for attributes of the wrong length or out of range.
result<window> read_window(const node_context& c, const shape& kernel);
/// The attribute kernel_shape, which pools must have.
result<shape> read_kernel_shape(const node_context& c);
/// Input 0 as [N,C,spatial...] with 1 to 3 spatial axes.
result<void> expect_image(const node_context& c);

/// Extents of what the window gives at each place it fits, [N,channels,spatial...]. With ceil_mode
/// it may hang over the end, but starts inside the input or the padding before it.
result<shape> slid_extents(const node_context& c, const window& at, std::int64_t channels);

/// Elements of the input along spatial axis `axis` (0 is the first) that outputs `wanted` read;
/// never empty.
interval window_field(const window& at, int axis, std::int64_t input_extent, interval wanted);

/// For `operator_def::split_axis`: the batch axis of input 0 and of inputs of its rank, others
/// whole.
std::optional<int> split_batch(const node_context& c, std::span<const int> split);

/// Bytes of all inputs and outputs, for `operator_def::cost`.
double operand_bytes(const node_context& c, std::span<const tensor_type> outputs);

} // namespace shoal::rules
