#pragma once

#include "kernels/cpu/pooling.hpp"
#include "runtime/operators/operator.hpp"

/// What pools have in common, sliding and global ones. Input 0 is [N,C,spatial...].
namespace shoal::rules {

result<std::vector<tensor_type>> infer_pool(const node_context& c);
operator_cost pool_cost(const node_context& c, std::span<const tensor_type> outputs);
std::optional<interval> pool_field(const node_context& c, std::size_t input, int axis,
                                   interval wanted);

/// One window over the whole image of extents `source`.
window global_window(const shape& source);

/// One output element per channel, from all of it.
result<std::vector<tensor_type>> infer_global_pool(const node_context& c);
operator_cost global_pool_cost(const node_context& c, std::span<const tensor_type> outputs);
std::optional<interval> global_pool_field(const node_context& c, std::size_t input, int axis,
                                          interval wanted);

/// For a sliding pool (`global` false) or a global one. oneDNN does float32 (and the
/// largest of bytes), the reference every
/// type that `infer` lets pass.
result<std::unique_ptr<kernel>> prepare_onednn_pool(const prepare_context& c,
                                                    kernels::pooling function, bool global);
result<std::unique_ptr<kernel>> prepare_reference_pool(const prepare_context& c,
                                                       kernels::pooling function, bool global);

} // namespace shoal::rules
