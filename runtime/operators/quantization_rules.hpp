#pragma once

#include "kernels/quantization.hpp"
#include "runtime/operators/operator.hpp"

#include <initializer_list>

/// What operators on quantised tensors have in common. A scale or zero point is an input of its
/// own, with one value or one per channel.
namespace shoal::rules {

/// Input `i`, of 8-bit integers.
result<void> expect_bytes(const node_context& c, std::size_t i);

/// Input `i` as one value of `type`, of rank 0 or 1.
result<void> expect_single(const node_context& c, std::size_t i, dtype type);

/// Input `i` as values of `type`: one, or `channels` of them, along one axis.
result<void> expect_per_channel(const node_context& c, std::size_t i, dtype type,
                                std::int64_t channels);

/// The inputs `chosen` as operands of their own, as if they were float32: what an operator on
/// quantised tensors shares with the one on real numbers is asked of that one.
std::vector<operand> as_real(const node_context& c, std::initializer_list<std::size_t> chosen);

/// The cuts of the inputs `chosen`; nullopt when another one is cut.
std::optional<std::vector<int>> cuts_of(std::span<const int> split,
                                        std::initializer_list<std::size_t> chosen);

/// What input `i` is for all channels, if that is known before the first run. A zero point that is
/// left out is 0.
std::optional<float> constant_scale(const node_context& c, std::size_t i);
std::optional<std::int32_t> constant_zero(const node_context& c, std::size_t i);

} // namespace shoal::rules
