#include "runtime/graph/rewrite.hpp"

#include "runtime/graph/rewrite_rules.hpp"

#include <cassert>

namespace shoal {

rewrite_options rewrite_options::none() {
  rewrite_options o;
  o.remove_dead_nodes = o.remove_identities = o.fuse_quantized = o.fold_constants =
      o.fold_batch_norm = o.fuse_residual = o.fuse_activation = o.join_transposes =
          o.fuse_attention = o.fuse_gelu = o.fuse_layer_norm = o.fuse_added_norm = o.fuse_bias =
              o.fuse_transposes = false;
  return o;
}

result<graph> rewrite(const graph& model, const rewrite_options& options) {
  assert(options.types.empty() || options.types.size() == model.values().size());
  using namespace rewrite_rules;
  graph_editor g(model, options.types);
  if (options.promote_half) SHOAL_CHECK(promote_half(g));
  // Dead readers keep others from being fused.
  if (options.remove_dead_nodes) rewrite_rules::remove_dead_nodes(g);
  if (options.remove_identities) rewrite_rules::remove_identities(g);
  // Before weights are folded into real numbers.
  if (options.fuse_quantized) rewrite_rules::fuse_quantized(g);
  if (options.fold_constants && options.evaluate) SHOAL_CHECK(fold_constants(g, options));
  if (options.fold_batch_norm) SHOAL_CHECK(fold_batch_norm(g));
  if (options.fuse_residual) SHOAL_CHECK(fuse_residual(g));
  if (options.fuse_activation) SHOAL_CHECK(fuse_activation(g));
  if (options.join_transposes) rewrite_rules::join_transposes(g);
  if (options.fuse_attention) rewrite_rules::fuse_attention(g);
  if (options.fuse_gelu) rewrite_rules::fuse_gelu(g);
  if (options.fuse_layer_norm) rewrite_rules::fuse_layer_norm(g);
  if (options.fuse_added_norm) rewrite_rules::fuse_added_norm(g);
  if (options.fuse_bias) rewrite_rules::fuse_bias(g);
  if (options.fuse_transposes) rewrite_rules::fuse_transposes(g);
  if (options.remove_dead_nodes) rewrite_rules::remove_dead_nodes(g);
  return std::move(g).finish();
}

} // namespace shoal
