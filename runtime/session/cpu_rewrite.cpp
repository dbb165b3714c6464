#include "runtime/session/cpu_rewrite.hpp"

#include "runtime/session/binding.hpp"

namespace shoal {

result<std::shared_ptr<const graph>> rewrite_for_cpu(std::shared_ptr<const graph> model) {
  rewrite_options options;
  options.promote_half = true;
  options.evaluate = evaluate_node;
  SHOAL_TRY(auto rewritten, rewrite(*model, options));
  return std::make_shared<const graph>(std::move(rewritten));
}

} // namespace shoal
