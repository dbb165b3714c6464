#pragma once

#include "actors/shoal.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal {

/// `named` in the order of `inputs`; the error names what is missing, unknown or double. `whose`
/// inputs they are, as in "model 'x'".
result<std::vector<tensor>>
arrange_inputs(std::string_view whose, const std::vector<model_value>& inputs,
               const std::vector<std::pair<std::string, tensor>>& named);

} // namespace shoal
