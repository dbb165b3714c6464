#pragma once

#include "kernels/activation.hpp"
#include "runtime/operators/operator.hpp"

/// What Conv and FusedConv have in common. Inputs: X [N,C,spatial...], W [M,C/group,kernel...], B
/// [M], Z [N,M,spatial...]; the last two optional, Z of FusedConv alone.
namespace shoal::rules {

result<std::vector<tensor_type>> infer_convolution(const node_context& c);
operator_cost convolution_cost(const node_context& c, std::span<const tensor_type> outputs);
std::optional<interval> convolution_field(const node_context& c, std::size_t input, int axis,
                                          interval wanted);

/// The attribute of FusedConv that says how a node is computed, in whatever process it runs; chosen
/// by runtime/plan/tune_convolutions.hpp.
inline constexpr const char* algorithm_attribute = "shoal_algorithm";
inline constexpr const char* winograd_algorithm = "winograd";
/// Bits that do not depend on the extents of the image: runtime/tile/steady_kernels.hpp.
inline constexpr const char* steady_algorithm = "steady";

/// Winograd's algorithm where the node asks for it and oneDNN has it; else none.
result<std::unique_ptr<kernel>> prepare_winograd_convolution(const prepare_context& c,
                                                             const activation& then);
/// oneDNN (float32), then `then` on each result; none where the node asks for a steady algorithm
/// that oneDNN does not have for it.
result<std::unique_ptr<kernel>> prepare_onednn_convolution(const prepare_context& c,
                                                           const activation& then);
result<std::unique_ptr<kernel>> prepare_reference_convolution(const prepare_context& c,
                                                              const activation& then);

} // namespace shoal::rules
