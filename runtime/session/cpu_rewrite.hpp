#pragma once

#include "runtime/graph/rewrite.hpp"

#include <memory>

namespace shoal {

/// `model` as CPU executors run it best: every rule that holds for inputs of all shapes, constants
/// folded, half precision promoted. Whoever cuts a model into stages does so afterwards: fusions
/// never cross a cut then, and the stages compute the same bits as the whole.
result<std::shared_ptr<const graph>> rewrite_for_cpu(std::shared_ptr<const graph> model);

} // namespace shoal
