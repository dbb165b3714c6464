#include "runtime/base/fail.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>
#include <vector>

namespace shoal {
namespace {

/// Every operator, in the order of operators.hpp.
const operator_def* const table[] = {
#define SHOAL_OPERATOR(name) &operators::name,
#include "runtime/operators/operators.def"
#undef SHOAL_OPERATOR
};

std::vector<const operator_def*> sorted_table() {
  std::vector<const operator_def*> all(std::begin(table), std::end(table));
  std::sort(all.begin(), all.end(), [](const operator_def* a, const operator_def* b) {
    return std::tie(a->domain, a->name, a->first_opset) <
           std::tie(b->domain, b->name, b->first_opset);
  });
  return all;
}

} // namespace

std::span<const operator_def* const> all_operators() {
  static const std::vector<const operator_def*> all = sorted_table();
  return all;
}

result<const operator_def*> find_operator(std::string_view name, std::string_view domain, int opset,
                                          std::string_view node_name) {
  const operator_def* other_version = nullptr;
  for (const auto* candidate : all_operators()) {
    if (candidate->name != name || candidate->domain != domain) continue;
    if (opset >= candidate->first_opset && opset <= candidate->last_opset) return candidate;
    other_version = candidate;
  }
  const std::string_view shown = domain.empty() ? "ai.onnx" : domain;
  if (other_version != nullptr)
    return fail(errc::unsupported,
                "operator {} (domain {}) of node '{}' comes in opset {}; supported are {} to {}",
                name, shown, node_name, opset, other_version->first_opset,
                other_version->last_opset);
  return fail(errc::unsupported, "operator {} (domain {}, opset {}) of node '{}' is not supported",
              name, shown, opset, node_name);
}

error node_error(const graph_node& node, errc code, std::string_view what) {
  return fail(code, "{} '{}' (opset {}): {}", node.definition->name, node.name, node.opset, what);
}

} // namespace shoal
