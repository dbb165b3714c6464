#pragma once

#include "runtime/operators/operator.hpp"

/// Rules that many operators share, for the fields of `operator_def`.
namespace shoal::rules {

/// Output 0 has the type of input 0.
result<std::vector<tensor_type>> same_as_input(const node_context& c);

/// An output element depends on the input element at the same place alone.
std::optional<interval> pointwise_field(const node_context& c, std::size_t input, int axis,
                                        interval wanted);

/// Whether no input but the first is cut, for operators whose other inputs say what to do with it.
bool others_are_whole(std::span<const int> split);

/// The output is cut where input 0 is.
std::optional<int> split_like_input(const node_context& c, std::span<const int> split);

} // namespace shoal::rules
