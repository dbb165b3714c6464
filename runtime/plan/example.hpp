#pragma once

#include "runtime/base/result.hpp"
#include "runtime/session/binding.hpp"

#include <memory>
#include <span>
#include <vector>

namespace shoal {

/// Seeded small positive noise: what most models take for an image, and in range for token ids and
/// shapes.
result<std::vector<tensor>> example_inputs(std::span<const tensor_type> types);

/// `bind_types`, but where types depend on values they are those of a run on `example_inputs`: what
/// plans of such a model go by. The nodes in question are still `open`.
result<std::unique_ptr<bound_graph>> bind_example(std::shared_ptr<const graph> model,
                                                  std::span<const tensor_type> inputs);

} // namespace shoal
