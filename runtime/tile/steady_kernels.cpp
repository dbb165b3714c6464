#include "runtime/tile/steady_kernels.hpp"

#include "kernels/cpu/convolution.hpp"
#include "runtime/operators/convolution_rules.hpp"
#include "runtime/plan/convolution_algorithm.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace shoal {

result<std::shared_ptr<const graph>> with_steady_kernels(std::shared_ptr<const graph> model) {
  std::vector<std::size_t> convolutions;
  for (std::size_t n = 0; n < model->nodes().size(); ++n)
    if (is_convolution(model->nodes()[n])) convolutions.push_back(n);
  if (convolutions.empty()) return model;
  return with_algorithm(*model, convolutions, rules::steady_algorithm);
}

bool can_be_steady(const graph_node& node) {
  if (is_convolution(node) || node.definition->name == "ConvTranspose")
    return kernels::has_steady_convolutions();
  // Products divide their sums by what fits the caches for so many rows.
  constexpr std::string_view products[] = {
      "MatMul", "Gemm", "FusedMatMul", "FusedGemm", "Attention", "MultiHeadAttention",
      "Einsum", "GRU",  "LSTM",        "RNN"};
  return std::ranges::find(products, node.definition->name) == std::end(products);
}

} // namespace shoal
