#pragma once

#include "runtime/graph/rewrite.hpp"
#include "runtime/graph/rewrite_editor.hpp"

/// The rules of the rewrite, one per file; rewrite.hpp says what each does.
namespace shoal::rewrite_rules {

result<void> promote_half(graph_editor& g);
void remove_dead_nodes(graph_editor& g);
void remove_identities(graph_editor& g);
void fuse_quantized(graph_editor& g);
result<void> fold_constants(graph_editor& g, const rewrite_options& options);
result<void> fold_batch_norm(graph_editor& g);
result<void> fuse_residual(graph_editor& g);
result<void> fuse_activation(graph_editor& g);
void join_transposes(graph_editor& g);
void fuse_attention(graph_editor& g);
void fuse_gelu(graph_editor& g);
void fuse_layer_norm(graph_editor& g);
void fuse_added_norm(graph_editor& g);
void fuse_bias(graph_editor& g);
void fuse_transposes(graph_editor& g);

/// A Conv, or a FusedConv without activation, as a FusedConv that more can be added to; nothing if
/// node `n` is neither.
std::optional<graph_node> as_open_fused_conv(const graph_editor& g, std::size_t n);

} // namespace shoal::rewrite_rules
