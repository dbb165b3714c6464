#include "runtime/session/cpu_rewrite.hpp"

#include "runtime/session/binding.hpp"
#include "runtime/tensor/deferred_storage.hpp"

namespace shoal {

namespace {

/// The same for the graphs that nodes run. Halves stay what they are there: the types of what goes
/// in and out of a body are a matter of both sides.
result<graph> rewrite_all(const graph& model, const rewrite_options& options) {
  SHOAL_TRY(auto rewritten, rewrite(model, options));
  if (!has_bodies(rewritten)) return rewritten;
  graph_builder with_bodies(rewritten);
  for (auto& node : with_bodies.nodes) {
    const auto attrs = node.attrs;
    for (const auto& [name, value] : attrs.entries()) {
      const auto* body = std::get_if<graph_body>(&value);
      if (body == nullptr) continue;
      SHOAL_TRY(auto code, rewrite_all(*body->code, options));
      node.attrs.set(name,
                     graph_body{std::make_shared<const graph>(std::move(code)), body->captured});
    }
  }
  return std::move(with_bodies).build();
}

} // namespace

result<std::shared_ptr<const graph>> rewrite_for_cpu(std::shared_ptr<const graph> model) {
  rewrite_options options;
  options.promote_half = !has_bodies(*model);
  options.evaluate = evaluate_node;
  SHOAL_TRY(auto rewritten, catch_deferred([&] { return rewrite_all(*model, options); }));
  return std::make_shared<const graph>(std::move(rewritten));
}

} // namespace shoal
